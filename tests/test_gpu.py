"""What CUDA changes, and what it must not: skipped, with a notice, where there is no GPU."""

import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from autoencoder.data import Split
from autoencoder.devices import configure, select_device
from autoencoder.images import to_unit_interval
from autoencoder.inference import CUDA, open_session, why_not_cuda
from autoencoder.model_export import export_model
from autoencoder.models import AE, VAE, build_model
from autoencoder.onnx_export import ExportParams, tolerance
from autoencoder.recipe import TRAIN_PARAMS, PCATraining
from autoencoder.training import Training
from tests.processes import start
from tests.small_params import AE_PARAMS, VAE_PARAMS
from tests.tiny_project import lay_out, run_all

WHY_NOT = select_device("auto")[1]
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(bool(WHY_NOT), reason=f"needs a GPU: {WHY_NOT}")]
GPU, CPU = "cuda:0", "cpu"
SIZES = {"network": {"type": "mlp", "hidden": [64]}, "epochs": 3, "batch_size": 64}
AE_SIZED, VAE_SIZED = {**AE_PARAMS, **SIZES}, {**VAE_PARAMS, **SIZES}
CONV = {"type": "conv", "channels": [4, 8], "blocks": 1, "hidden": [32]}
ARTICLE = {"epochs": 3, "batch_size": 64, "learning_rate": 0.001}
VARIANTS: dict[str, dict[str, Any]] = {
    "ae": AE_SIZED,
    "vae": VAE_SIZED,
    "dynamic": {**VAE_SIZED, "binarize": "dynamic"},
    "gaussian": {**VAE_SIZED, "likelihood": "gaussian"},
    "muon": {**VAE_SIZED, "optimizer": "muon"},
    "importance": {**VAE_SIZED, "importance_samples": 3},
    "conv": {**VAE_SIZED, "network": CONV},
    "ae_article": {"kind": "ae_article", **ARTICLE},
    "vae_article": {"kind": "vae_article", **ARTICLE},
}


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    """What every test computes in."""
    configure(torch.device(GPU), tf32=False)
    yield
    torch.use_deterministic_algorithms(False)


def training(device: str, variant: str) -> Training:
    checked = TRAIN_PARAMS.validate_python(VARIANTS[variant])
    assert not isinstance(checked, PCATraining)
    images = torch.randint(0, 256, (640, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images[:, :, :14] = 0
    split = Split(images.to(device), torch.zeros(640, dtype=torch.uint8, device=device))
    model = build_model(checked, 0)
    assert isinstance(model, AE | VAE)
    return Training(model, checked, split, split.head(128), 0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_same_seed_same_bits_resumed_or_not(variant):
    first, second, stopped, resumed = (training(GPU, variant) for _ in range(4))
    list(first.epochs())
    list(second.epochs())
    next(stopped.epochs())
    resumed.load_state_dict(stopped.state_dict())
    list(resumed.epochs())
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
        assert torch.equal(value, resumed.model.state_dict()[name]), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_captured_step_computes_what_the_cpu_computes(variant, monkeypatch):
    prepare = Training._prepare_epoch

    def prepare_alike(run: Training) -> None:
        """The same noise and the same binarisation on both devices, whose generators differ."""
        prepare(run)
        generator = torch.Generator().manual_seed(run.epoch)
        run.noise.copy_(torch.randn(run.noise.shape, generator=generator))
        if variant == "dynamic":
            draws = torch.randint(0, 2, run.images.shape, generator=generator, dtype=torch.uint8)
            run.images.copy_(draws * 255)

    monkeypatch.setattr(Training, "_prepare_epoch", prepare_alike)
    losses = [[metrics.train.loss for metrics in training(device, variant).epochs()] for device in (GPU, CPU)]
    # a step that read the wrong noise, or trained nothing for some epoch, would move them by 2e-4 or more;
    # the article's VAE divides by variances of 1e-8: other rounding moves its loss by 4e-4
    assert losses[0] == pytest.approx(losses[1], rel=1e-2 if variant == "vae_article" else 1e-4)
    assert losses[0][2] < losses[0][0]


@pytest.mark.parametrize("variant", ["ae", "vae", "conv", "vae_article"])
def test_exported_graphs_compute_on_cuda_what_they_compute_on_the_cpu(variant):
    if reason := why_not_cuda():
        pytest.skip(f"onnxruntime: {reason}")
    run = training(GPU, variant)
    list(run.epochs())
    model = run.model.cpu().eval()
    image = to_unit_interval(run.train.images).cpu().numpy()
    encoder, decoder = export_model(model, ExportParams(opset=20), {})
    latent = open_session(encoder, CPU).run({"image": image})["mean"]
    for graph, inputs in ((encoder, {"image": image}), (decoder, {"latent": latent})):
        served = open_session(graph, GPU)
        assert served.session.get_providers()[0] == CUDA
        assert served.node_providers == {CUDA}
        found, expected = served.run(inputs), open_session(graph, CPU).run(inputs)
        for name, values in expected.items():
            assert (np.abs(found[name] - values) <= tolerance(name, values)).all(), name


def test_every_stage_runs_and_writes_the_same_bytes_twice(tmp_path):
    written = []
    for name in ("first", "second"):
        lay_out(tmp_path / name)
        run_all(tmp_path / name, device=GPU)
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file() and "timings" not in path.parts]
        written.append({path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in files})
    assert {"models/classifier/model.pt", "metrics/real.json", "models/pca/onnx/manifest.json"} <= set(written[0])
    assert [name for name in written[0] if written[0][name] != written[1].get(name)] == []


def stage(work: str, **environment: str) -> tuple[int, str, str]:
    """A process that chooses its device as a stage does and then works: exit code, standard output and error."""
    script = (
        "import torch\nfrom stages.device import choose_device\nfrom stages.process import run\n"
        f"def main():\n    device = choose_device(tf32=False)\n    print(device)\n{work}\nrun(main)\n"
    )
    return start(script, {**os.environ, "DEVICE": "auto", **environment})


def test_a_gpu_without_memory_left_is_one_message():
    code, said, error = stage("    torch.empty(2**50, dtype=torch.uint8, device=device)")
    assert (code, said) == (1, "cuda:0\n")
    assert error.startswith("error: the GPU has no memory left (Tried to allocate ")
    assert error.count("\n") == 1


TRAP = ".version 7.8\n.target sm_75\n.address_size 64\n.visible .entry trap() { trap; ret; }"
FAIL_AT_WORK = f"""    kept = torch.ones(3, device=device)
    graph = torch.cuda.CUDAGraph()
    torch.cuda._utils._cuda_load_module({TRAP!r}, ["trap"])["trap"]()
    print(kept.sum().item())"""


def test_a_gpu_that_fails_at_work_is_one_message():
    code, said, error = stage(FAIL_AT_WORK)
    assert (code, said) == (1, "cuda:0\n")
    assert re.match(r"error: the GPU has failed \(CUDA error: .*(launch failure|illegal instruction)", error), error
    assert error.count("\n") == 1


FILL = """
import sys
import torch
from autoencoder.inference import open_session
kept = []
size = torch.cuda.mem_get_info()[0]
while size > 1000:
    try:
        kept.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
    except torch.OutOfMemoryError:
        size //= 2
session = open_session(open(sys.argv[1], "rb").read())
print(session.provider, session.reason, sep=": ")
"""


def test_onnxruntime_serves_on_the_cpu_where_the_gpu_is_full(export, tmp_path):
    if reason := why_not_cuda():
        pytest.skip(f"onnxruntime: {reason}")
    decoder = export(tmp_path, "ae", "ae", latent_dim=3) / "decoder.onnx"
    code, said, error = start(FILL.replace("sys.argv[1]", repr(str(decoder))))
    assert (code, error) == (0, "")
    assert said.startswith("CPUExecutionProvider: ")
    assert re.search("memory|ALLOC(ATION)?_FAILED|allocation failed|NOT_INITIALIZED", said)


def test_a_gpu_that_is_hidden_is_a_line_of_the_log():
    assert stage("    pass", CUDA_VISIBLE_DEVICES="") == (0, "on the CPU: no visible CUDA device\ncpu\n", "")
    code, _, error = stage("    pass", CUDA_VISIBLE_DEVICES="", DEVICE="cuda")
    assert (code, error) == (1, "error: DEVICE=cuda: no visible CUDA device; DEVICE=cpu works without a GPU\n")


def test_the_cpu_can_be_chosen_beside_a_gpu():
    assert stage("    pass", DEVICE="cpu") == (0, "cpu\n", "")
