"""The stages, each as `main(argv)` on a tiny data set: what they write, and how they fail."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import onnx
import pytest
import torch

from autoencoder.checkpoints import load_model
from autoencoder.classifier import load_judge
from autoencoder.datasets import make_digits, write_dataset
from autoencoder.headline import headline
from autoencoder.images import to_unit_interval
from autoencoder.inference import open_session
from autoencoder.training import Terms, Training, TrainingDiverged
from stages import classifier, evaluate, export, export_classifier, reference, report, train
from tests.nvidia import build_driver, build_full_gpu
from tests.pretended_gpu import pretended_gpu
from tests.small_params import VAE_PARAMS, small_params

ROOT = Path(__file__).parents[1]
TRAIN, TEST, VALIDATION = 300, 60, 60
NETWORK = {"type": "mlp", "hidden": [16]}
PARAMS = small_params(
    models={
        "pca": {"kind": "pca", "latent_dim": 3},
        "vae": {**VAE_PARAMS, "latent_dim": 3, "network": NETWORK, "epochs": 2, "batch_size": 32},
        "vae_article": {"kind": "vae_article", "epochs": 2, "batch_size": 32, "learning_rate": 0.001},
    },
    validation_size=VALIDATION,
    evaluate={"batch_size": 50, "iwae_samples": 5, "iwae_images": 1000, "neighbors": 3},
)
MODELS = list(PARAMS["models"])
COMMANDS = {
    "train": "--data data/digits.npz --output models/{0}/model.pt --pictures models/{0}/epochs "
    "--curve plots/{0}/loss.csv",
    "export": "--data data/digits.npz --checkpoint models/{0}/model.pt --output models/{0}/onnx",
    "evaluate": "--data data/digits.npz --checkpoint models/{0}/model.pt --latents models/{0}/onnx/latents.npz "
    "--classifier models/classifier/model.pt --metrics metrics/{0}.json --details details/{0}.json --pictures plots/{0}",
}
MAINS = {"train": train.main, "export": export.main, "evaluate": evaluate.main}
PICTURES = ("reconstructions", "samples", "interpolations", "latent_map", "manifold", "dimensions", "traversals")
ONCE = {
    "classifier": "--data data/digits.npz --output models/classifier/model.pt",
    "export_classifier": "--data data/digits.npz --classifier models/classifier/model.pt --output models/classifier/onnx",
    "reference": "--data data/digits.npz --classifier models/classifier/model.pt --metrics metrics/real.json "
    "--details details/real.json",
    "report": "--details details --pictures plots --output report",
}
ONCE_MAINS = {
    "classifier": classifier.main,
    "export_classifier": export_classifier.main,
    "reference": reference.main,
    "report": report.main,
}


def arguments(stage: str, model: str) -> list[str]:
    return ONCE[stage].split() if stage in ONCE else [model, *COMMANDS[stage].format(model).split()]


def lay_out(folder: Path) -> None:
    """A project with tiny networks and the first digits of scikit-learn."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dvc.yaml", folder)
    (folder / "params.yaml").write_text(json.dumps(PARAMS))
    digits = make_digits()
    small = replace(
        digits,
        train_images=digits.train_images[:TRAIN],
        train_labels=digits.train_labels[:TRAIN],
        test_images=digits.test_images[:TEST],
        test_labels=digits.test_labels[:TEST],
    )
    write_dataset(folder / "data" / "digits.npz", small)


def run_in(folder: Path, stage: str, model: str = "", device: str = "cpu") -> None:
    """The stage in this process; its settings of torch do not outlive it."""
    with mock.patch.dict(os.environ, DEVICE=device), contextlib.chdir(folder):
        try:
            (MAINS | ONCE_MAINS)[stage](arguments(stage, model))
        finally:
            torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every stage of every model has run."""
    folder = tmp_path_factory.mktemp("finished")
    lay_out(folder)
    for stage in ("classifier", "export_classifier", "reference"):
        run_in(folder, stage)
    for model in MODELS:
        for stage in MAINS:
            run_in(folder, stage, model)
    run_in(folder, "report")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which nothing has run."""
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEVICE", "cpu")
    return tmp_path


def test_the_commands_are_those_of_dvc_yaml():
    text = " ".join((ROOT / "dvc.yaml").read_text().split())
    for stage in MAINS:
        command = COMMANDS[stage].replace("{0}", "${item.model}").replace("digits", "${data.dataset}")
        assert f"python -m stages.{stage} ${{item.model}} {command}" in text
    for stage, command in ONCE.items():
        assert f"python -m stages.{stage} {command.replace('digits', '${data.dataset}')}" in text


def test_stages_write_what_they_declare_and_nothing_else(finished):
    found = {path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file()}
    expected = {"dvc.yaml", "params.yaml", "data/digits.npz", "models/classifier/model.pt"}
    expected |= {"models/classifier/onnx/classifier.onnx", "models/classifier/onnx/manifest.json"}
    expected |= {"metrics/real.json", "details/real.json", "report/README.md", "report/claims.png"}
    expected |= {f"timings/{stage}.json" for stage in ("classifier", "export_classifier", "reference")}
    for model in MODELS:
        epochs = PARAMS["models"][model].get("epochs", 1)
        expected |= {f"models/{model}/model.pt", f"plots/{model}/loss.csv"}
        expected |= {f"metrics/{model}.json", f"details/{model}.json"}
        expected |= {f"models/{model}/epochs/epoch_{epoch:04d}.png" for epoch in range(1, epochs + 1)}
        expected |= {f"models/{model}/onnx/{name}.onnx" for name in ("encoder", "decoder")}
        expected |= {f"models/{model}/onnx/{name}" for name in ("latents.npz", "manifest.json")}
        expected |= {f"plots/{model}/{name}.png" for name in PICTURES}
        expected |= {f"timings/{stage}_{model}.json" for stage in MAINS}
    assert found == expected


@pytest.mark.parametrize("name", MODELS)
def test_train_writes_a_model_that_fits_its_curve(name, finished):
    model, params = load_model(finished / "models" / name / "model.pt", torch.device("cpu"))
    assert params == PARAMS["models"][name]
    header, *rows = (finished / "plots" / name / "loss.csv").read_text().splitlines()
    assert header == "epoch,split,loss,reconstruction,kl_divergence"
    assert [row.split(",")[:2] for row in rows] == [
        [str(epoch), split] for epoch in range(1, params.get("epochs", 1) + 1) for split in ("train", "validation")
    ]
    if name == "pca":
        with np.load(finished / "data" / "digits.npz") as arrays:
            order = np.random.default_rng(20131220).permutation(TRAIN)
            image = torch.from_numpy(arrays["train_images"][order[:VALIDATION]])[:, None] / 255
        error = (model.decode(model.encode(image)) - image).square().sum() / VALIDATION
        assert float(rows[1].split(",")[2]) == pytest.approx(error.item(), rel=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_manifest_describes_the_exported_files(name, finished):
    folder = finished / "models" / name / "onnx"
    manifest = json.loads((folder / "manifest.json").read_text())
    kind = PARAMS["models"][name]["kind"]
    latent_dim = PARAMS["models"][name].get("latent_dim", 10)
    assert (manifest["model"], manifest["kind"], manifest["latent_dim"]) == (name, kind, latent_dim)
    assert manifest["schema_version"] == 1
    assert manifest["dataset"] == "digits"
    assert manifest["data_sha256"] == hashlib.sha256((finished / "data" / "digits.npz").read_bytes()).hexdigest()
    assert set(manifest["files"]) == {"encoder.onnx", "decoder.onnx", "latents.npz"}
    for file, described in manifest["files"].items():
        content = (folder / file).read_bytes()
        assert described["sha256"] == hashlib.sha256(content).hexdigest()
        assert described["bytes"] == len(content)
        assert described["role"] == Path(file).stem
    assert manifest["files"]["encoder.onnx"]["inputs"] == {"image": ["batch", 1, 28, 28]}
    assert manifest["files"]["decoder.onnx"]["inputs"] == {"latent": ["batch", latent_dim]}
    parity = manifest["parity"]
    assert (parity["images"], parity["atol"], parity["latent_rtol"]) == (TEST, 1e-5, 1e-4)
    outputs = {"mean", "reconstruction"} | ({"log_var"} if name.startswith("vae") else set())
    assert {key for key in parity if key.endswith("_max_abs")} == {f"{output}_max_abs" for output in outputs}
    assert 0 <= parity["reconstruction_max_abs"] <= 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_the_graphs_metadata_says_where_they_come_from(name, finished):
    proto = onnx.load(finished / "models" / name / "onnx" / "decoder.onnx")
    metadata = {item.key: item.value for item in proto.metadata_props}
    manifest = json.loads((finished / "models" / name / "onnx" / "manifest.json").read_text())
    for key in ("schema_version", "model", "kind", "latent_dim", "dataset", "data_sha256", "params_sha256"):
        assert metadata[key] == str(manifest[key])
    assert metadata["role"] == "decoder"


@pytest.mark.parametrize("name", MODELS)
def test_latents_are_the_codes_of_the_test_images(name, finished):
    model, _ = load_model(finished / "models" / name / "model.pt", torch.device("cpu"))
    with np.load(finished / "models" / name / "onnx" / "latents.npz") as latents, torch.no_grad():
        with np.load(finished / "data" / "digits.npz") as arrays:
            images = torch.from_numpy(arrays["test_images"])[:, None]
            order = np.random.default_rng(20131220).permutation(TRAIN)
            train_images = torch.from_numpy(arrays["train_images"][order[VALIDATION:]])[:, None]
            np.testing.assert_array_equal(latents["test_labels"], arrays["test_labels"])
        np.testing.assert_allclose(latents["test_mean"], model.encode(to_unit_interval(images)), atol=1e-5)
        codes = model.encode(to_unit_interval(train_images)).double().numpy()
        mean, covariance, exact = codes.mean(0), np.cov(codes.T), 1e-4
        if name.startswith("vae"):  # moments of draws from the posteriors: theirs, but for the noise of the draws
            covariance += np.diag(
                model.posterior(to_unit_interval(train_images)).log_var.exp().double().mean(0).numpy()
            )
            exact = 4 / len(codes) ** 0.5
        spread = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose((latents["train_mean"] - mean) / spread, 0, atol=exact)
        np.testing.assert_allclose((latents["train_covariance"] - covariance) / np.outer(spread, spread), 0, atol=exact)


@pytest.mark.parametrize("name", MODELS)
def test_evaluate_writes_sorted_rounded_finite_metrics(name, finished):
    text = (finished / "details" / f"{name}.json").read_text()
    details = json.loads(text)
    assert text == json.dumps(details, indent=2, sort_keys=True) + "\n"
    judge = hashlib.sha256((finished / "models" / "classifier" / "model.pt").read_bytes()).hexdigest()
    assert details.pop("classifier") == judge[:8]
    figures = np.concatenate([np.atleast_1d(value) for key, value in details.items() if key != "parameters"])
    assert all(np.isfinite(value) and value == float(f"{value:.5g}") for value in figures)
    metrics = json.loads((finished / "metrics" / f"{name}.json").read_text())
    assert metrics == headline(details)
    assert ("nll" in metrics) == name.startswith("vae")
    model, _ = load_model(finished / "models" / name / "model.pt", torch.device("cpu"))
    with np.load(finished / "data" / "digits.npz") as arrays, torch.no_grad():
        image = to_unit_interval(torch.from_numpy(arrays["test_images"])[:, None])
        error = (model.decode(model.encode(image)) - image).square().mean().item()
    assert metrics["reconstruction_mse"] == pytest.approx(error, rel=1e-4)


@pytest.mark.parametrize("stage", [*ONCE, *MAINS])
def test_a_stage_run_again_writes_the_same_bytes(stage, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "again")
    timings = tmp_path / "again" / "timings"
    run_in(tmp_path / "again", stage, "vae")
    for path in finished.rglob("*"):
        again = tmp_path / "again" / path.relative_to(finished)
        if path.is_file() and timings not in again.parents:
            assert again.read_bytes() == path.read_bytes(), path


def test_the_exported_classifier_reads_as_the_evaluation_does(finished):
    manifest = json.loads((finished / "models" / "classifier" / "onnx" / "manifest.json").read_text())
    model = (finished / "models" / "classifier" / "model.pt").read_bytes()
    graph = (finished / "models" / "classifier" / "onnx" / "classifier.onnx").read_bytes()
    assert manifest["classifier_sha256"] == hashlib.sha256(model).hexdigest()
    assert manifest["files"]["classifier.onnx"]["sha256"] == hashlib.sha256(graph).hexdigest()
    judge, _ = load_judge(finished / "models" / "classifier" / "model.pt", torch.device("cpu"))
    with np.load(finished / "data" / "digits.npz") as arrays:
        image = arrays["test_images"][:, None] / np.float32(255)
    probability = open_session(graph, device="cpu").run({"image": image})["probability"]
    judged = judge(torch.from_numpy(image))
    np.testing.assert_array_equal(probability.argmax(1), judged.label)
    clear = np.abs(probability.max(1) - manifest["threshold"]) > 1e-4
    np.testing.assert_array_equal((probability.max(1) >= manifest["threshold"])[clear], judged.accepted[clear])


def test_the_report_compares_the_models_of_params_yaml_alone(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    fewer = {name: params for name, params in PARAMS["models"].items() if name != "pca"}
    (tmp_path / "copy" / "params.yaml").write_text(json.dumps(PARAMS | {"models": fewer}))
    run_in(tmp_path / "copy", "report")
    assert "`pca`" in (finished / "report" / "README.md").read_text()
    assert "`pca`" not in (tmp_path / "copy" / "report" / "README.md").read_text()


def test_numpy_and_onnxruntime_alone_can_encode_and_decode(finished):
    script = """
import sys
import numpy as np
import onnxruntime
encoder, decoder = (onnxruntime.InferenceSession(f"{name}.onnx") for name in ("encoder", "decoder"))
with np.load("../../../data/digits.npz") as arrays:
    image = arrays["test_images"][:, None] / np.float32(255)
mean, log_var = encoder.run(["mean", "log_var"], {"image": image})
(reconstruction,) = decoder.run(None, {"latent": mean})
with np.load("latents.npz") as latents:
    assert np.allclose(mean, latents["test_mean"], atol=1e-5, rtol=1e-4)
print(reconstruction.shape, log_var.shape, float(np.square(reconstruction - image).mean()))
assert not {"torch", "onnx", "autoencoder", "sklearn"} & {name.split(".")[0] for name in sys.modules}
"""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=finished / "models" / "vae" / "onnx",
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    shape, _, error = process.stdout.rpartition(" ")
    assert shape == f"({TEST}, 1, 28, 28) ({TEST}, 3)"
    metrics = json.loads((finished / "metrics" / "vae.json").read_text())
    assert float(error) == pytest.approx(metrics["reconstruction_mse"], rel=1e-4)


def test_the_training_seed_moves_the_weights_but_not_the_split(finished, project):
    (project / "params.yaml").write_text(json.dumps(PARAMS | {"seed": 1}))
    for name in ("pca", "vae"):
        run_in(project, "train", name)
    assert (project / "models/pca/model.pt").read_bytes() == (finished / "models/pca/model.pt").read_bytes()
    assert (project / "models/vae/model.pt").read_bytes() != (finished / "models/vae/model.pt").read_bytes()


def change(project: Path, model: str, **values: Any) -> None:
    tree = json.loads(json.dumps(PARAMS))
    tree["models"][model] |= values
    (project / "params.yaml").write_text(json.dumps(tree))


def start(stage: str, model: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *arguments(stage, model)],
        env={**os.environ, "DEVICE": "cpu", **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_diverging_training_ends_with_one_message_and_without_a_model(project):
    change(project, "vae", learning_rate=1e30, grad_clip=1e30)
    process = start("train", "vae")
    assert process.returncode == 1
    assert process.stderr == (
        "error: params.yaml: models.vae: the loss is nan in epoch 1; "
        "a smaller learning_rate (now 1e+30) usually cures this\n"
    )
    assert not (project / "models").exists()


def test_a_divergence_after_some_epochs_leaves_no_model_and_no_resume_point(project, monkeypatch):
    monkeypatch.setattr(train, "SECONDS_BETWEEN_NOTES", 0.0)
    losses = iter([3.0, 2.0, float("nan")])
    saved = []

    def validate(_: Training) -> Terms:
        saved.append(len(list(Path(".ckpt").glob("vae-*.pt"))))
        loss = next(losses)
        return Terms(loss, loss, 0.0)

    monkeypatch.setattr(Training, "validate", validate)
    change(project, "vae", epochs=5)
    with pytest.raises(TrainingDiverged, match=r"^params\.yaml: models\.vae: the loss is .* in epoch 3; a smaller"):
        run_in(project, "train", "vae")
    assert saved == [0, 1, 1]
    assert list((project / ".ckpt").iterdir()) == []
    assert not (project / "models/vae/model.pt").exists()


def test_a_training_says_while_it_runs_how_fast_it_is_and_how_long_it_will_take(project, monkeypatch):
    monkeypatch.setattr(train, "SECONDS_BETWEEN_NOTES", 0.0)
    clock = count()  # of train.py alone: a second further whenever it looks, which is twice an epoch
    monkeypatch.setattr(train, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    notes: list[dict[str, Any]] = []
    validate = Training.validate

    def read_notes(training: Training) -> Terms:
        path = Path("timings/train_vae.json")
        notes.append(json.loads(path.read_text()) if path.exists() else {})
        return validate(training)

    monkeypatch.setattr(Training, "validate", read_notes)
    change(project, "vae", epochs=4)
    run_in(project, "train", "vae")
    assert notes[0] == {}
    assert all(note["images_per_second"] > 0 and "cpu" in note["device"] for note in notes[1:])
    assert [note["seconds_left"] for note in notes[1:]] == [6, 4, 2]  # two seconds an epoch, of which one more is done
    assert "seconds_left" not in json.loads((project / "timings/train_vae.json").read_text())


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_device_that_does_not_exist_is_said_to_be_so(stage, finished, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setenv("DEVICE", "bogus")
    with pytest.raises(ValueError, match=r"^DEVICE=bogus: expected auto, cpu, cuda or cuda:<index>$"):
        MAINS[stage](arguments(stage, "vae"))


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
    with pretended_gpu():
        run_in(project, stage, model, device="cuda")
    assert "on cuda:0 (pretended)" in capsys.readouterr().out
    if stage == "train":
        assert load_model(project / "models" / model / "model.pt", torch.device("cpu"))


@pytest.fixture(scope="module")
def full_gpu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which torch finds a GPU, on which nothing can begin."""
    return build_full_gpu(tmp_path_factory.mktemp("full"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.parametrize("stage", [*MAINS, *ONCE])
def test_the_cpu_works_beside_a_gpu_without_memory_left(stage, finished, full_gpu, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    process = start(stage, "vae", **full_gpu | {"DEVICE": "cpu"})
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.usefixtures("project")
def test_a_gpu_without_memory_left_is_one_message(full_gpu):
    process = start("train", "vae", **full_gpu | {"DEVICE": "auto"})
    assert process.returncode == 1
    assert process.stderr.startswith("error: the GPU has no memory left (CUDA error: out of memory): end what else")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("stage", ["export", "evaluate"])
def test_a_missing_checkpoint_is_named(stage, project):
    with pytest.raises(ValueError, match=r"^models/vae/model\.pt is no usable checkpoint"):
        run_in(project, stage, "vae")


@pytest.mark.parametrize("stage", MAINS)
def test_missing_data_is_named(stage, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "data" / "digits.npz").unlink()
    with pytest.raises((ValueError, OSError), match=r"data/digits\.npz"):
        run_in(tmp_path / "copy", stage, "vae")


@pytest.mark.parametrize("damage", ["cut", "text", "lacks", "other"])
def test_a_damaged_side_car_is_named(damage, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    path = tmp_path / "copy" / "models" / "vae" / "onnx" / "latents.npz"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "text":
        path.write_text("no archive")
    else:
        with np.load(path) as file:
            arrays = dict(file)
        if damage == "lacks":
            del arrays["mixture_means"]
        else:
            arrays["test_mean"] = arrays["test_mean"][:, :2]
        np.savez(path, **arrays)
    with pytest.raises(RuntimeError, match=r"^models/vae/onnx/latents\.npz cannot be read \(.+\); make it again with"):
        run_in(tmp_path / "copy", "evaluate", "vae")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"^details/vae\.json cannot be read \(.+\); make it again with `dvc repro`$"),
        ("{", r"^details/vae\.json cannot be read \("),
        ("[1]", r"^details/vae\.json cannot be read \("),
        ("{}", r"^details lacks '\w+'; measure again with `dvc repro`$"),
    ],
)
def test_damaged_details_are_named(content, message, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "details" / "vae.json").write_text(content)
    with pytest.raises(RuntimeError, match=message):
        run_in(tmp_path / "copy", "report")


def test_an_export_that_does_not_compute_what_torch_computes_writes_nothing(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "models" / "vae" / "onnx")
    decoder = (finished / "models" / "pca" / "onnx" / "decoder.onnx").read_bytes()
    monkeypatch.setattr(export, "export_decoder", lambda *_: decoder)
    with pytest.raises(ValueError, match=r"^reconstruction differs from torch"):
        run_in(tmp_path / "copy", "export", "vae")
    assert not (tmp_path / "copy" / "models" / "vae" / "onnx").exists()


def test_metrics_that_are_not_finite_stop_the_stage(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "metrics" / "vae.json").unlink()
    monkeypatch.setattr(evaluate, "evaluate", lambda *_: {"nll": float("nan"), "ssim": 0.5})
    with pytest.raises(RuntimeError, match=r"^vae: not a finite number: nll; the training went wrong$"):
        run_in(tmp_path / "copy", "evaluate", "vae")
    assert not (tmp_path / "copy" / "metrics" / "vae.json").exists()
