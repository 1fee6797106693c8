"""The stages on the devices that DEVICE asks for: a GPU that is pretended, one that is full, the CPU beside it."""

import json
import shutil
import sys

import pytest
import torch

from autoencoder.checkpoints import load_checkpoint
from tests.nvidia import build_driver, build_full_gpu
from tests.pretended_gpu import pretended_gpu
from tests.tiny_project import MODELS, ONCE, PER_MODEL, PICTURES, run_in, start


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_device_that_does_not_exist_is_said_to_be_so(stage, project):
    with pytest.raises(ValueError, match=r"^DEVICE=bogus: expected auto, cpu, cuda or cuda:<index>$"):
        run_in(project, stage, "vae", device="bogus")


@pytest.mark.usefixtures("project")
def test_a_stage_in_a_process_says_so_without_a_traceback():
    process = start("train", "vae", DEVICE="bogus")
    assert process.returncode == 1
    assert process.stderr == "error: DEVICE=bogus: expected auto, cpu, cuda or cuda:<index>\n"
    assert process.stdout == ""


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.usefixtures("project")
def test_the_cpu_trains_beside_a_driver_that_does_not_start(tmp_path_factory):
    environment = {**build_driver(tmp_path_factory.mktemp("driver")), "DRIVER_INIT": "803"}
    process = start("train", "vae", **environment | {"DEVICE": "cpu"})
    assert (process.returncode, process.stderr) == (0, "")
    assert "driver" not in process.stdout


@pytest.mark.parametrize(("stage", "model"), [("reference", "real"), *(("evaluate", model) for model in MODELS)])
def test_on_a_gpu_a_stage_measures_what_it_measures_on_the_cpu(stage, model, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    written = [
        path.relative_to(finished)
        for folder in ("metrics", "details", "plots")
        for path in (finished / folder).rglob("*")
        if path.is_file() and model in (path.stem, path.parent.name) and path.suffix != ".csv"
    ]
    for path in written:
        (tmp_path / "copy" / path).unlink()
    with pretended_gpu():
        run_in(tmp_path / "copy", stage, model, device="cuda")
    assert len(written) == (2 if stage == "reference" else 2 + len(PICTURES))
    for path in written:
        assert (tmp_path / "copy" / path).read_bytes() == (finished / path).read_bytes(), path


@pytest.mark.parametrize(("stage", "model"), [("classifier", ""), *(("train", model) for model in MODELS)])
def test_a_stage_trains_on_a_gpu(stage, model, project, capsys):
    params = json.loads((project / "params.yaml").read_text())
    params["classifier"]["learning_rate"] = 1e-4  # along made-up gradients larger steps would leave it nothing to tell
    (project / "params.yaml").write_text(json.dumps(params))
    with pretended_gpu():
        run_in(project, stage, model, device="cuda")
    assert "on cuda:0 (pretended)" in capsys.readouterr().out
    if stage == "train":
        assert load_checkpoint(project / "models" / model / "model.pt", torch.device("cpu"))


@pytest.fixture(scope="module")
def full_gpu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which torch finds a GPU, on which nothing can begin."""
    return build_full_gpu(tmp_path_factory.mktemp("full"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.parametrize("stage", [*PER_MODEL, *ONCE])
def test_the_cpu_works_beside_a_gpu_without_memory_left(stage, finished, full_gpu, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    process = start(stage, "vae", **full_gpu | {"DEVICE": "cpu"})
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.skipif(torch.version.cuda is None, reason="this torch is built without CUDA")
@pytest.mark.usefixtures("project")
def test_beside_a_gpu_that_is_too_old_for_torch_the_cpu_trains_and_says_why(full_gpu):
    process = start("train", "vae", **full_gpu | {"DEVICE": "auto", "DRIVER_CAPABILITY": "61"})
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("on the CPU: this torch has no kernels for a GPU of compute capability 6.1\n")


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.skipif(torch.version.cuda is None, reason="this torch is built without CUDA")
@pytest.mark.usefixtures("project")
def test_a_gpu_without_memory_left_is_one_message(full_gpu):
    process = start("train", "vae", **full_gpu | {"DEVICE": "auto"})
    assert process.returncode == 1
    assert process.stderr.startswith("error: the GPU has no memory left (CUDA error: out of memory): end what else")
    assert process.stderr.count("\n") == 1
