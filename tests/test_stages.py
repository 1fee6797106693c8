"""The stages, each as `main(argv)` on a tiny data set: what they write."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from autoencoder.catalog import BY_NAME
from autoencoder.checkpoints import load_checkpoint
from autoencoder.classifier import load_judge
from autoencoder.headline import headline
from autoencoder.images import to_unit_interval
from autoencoder.inference import open_session
from autoencoder.training import Training
from stages import evaluate, report, train
from tests.tiny_project import (
    MODELS,
    ONCE,
    PARAMS,
    PER_MODEL,
    PICTURES,
    TEST,
    TRAIN,
    VALIDATION,
    change,
    run_in,
)


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
        expected |= {f"timings/{stage}_{model}.json" for stage in PER_MODEL}
    assert found == expected


@pytest.mark.parametrize("name", MODELS)
def test_train_writes_a_model_that_fits_its_curve(name, finished):
    model, params = load_checkpoint(finished / "models" / name / "model.pt", torch.device("cpu"))
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
    assert manifest["schema_version"] == 2
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
    model, _ = load_checkpoint(finished / "models" / name / "model.pt", torch.device("cpu"))
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
    latents = hashlib.sha256((finished / "models" / name / "onnx" / "latents.npz").read_bytes()).hexdigest()
    assert details.pop("latents") == latents[:8]
    figures = np.concatenate([np.atleast_1d(value) for key, value in details.items() if key != "parameters"])
    assert all(np.isfinite(value) and value == float(f"{value:.5g}") for value in figures)
    metrics = json.loads((finished / "metrics" / f"{name}.json").read_text())
    assert metrics == headline(details)
    assert ("nll" in metrics) == name.startswith("vae")
    model, _ = load_checkpoint(finished / "models" / name / "model.pt", torch.device("cpu"))
    with np.load(finished / "data" / "digits.npz") as arrays, torch.no_grad():
        image = to_unit_interval(torch.from_numpy(arrays["test_images"])[:, None])
        error = (model.decode(model.encode(image)) - image).square().mean().item()
    assert metrics["reconstruction_mse"] == pytest.approx(error, rel=1e-4)


def test_a_long_evaluation_says_in_a_log_how_far_it_is(finished, tmp_path, monkeypatch, capsys):
    shutil.copytree(finished, tmp_path / "again")
    tree = PARAMS | {"evaluate": PARAMS["evaluate"] | {"iwae_samples": 200}}  # so many of 20 images at a time, of 60
    (tmp_path / "again" / "params.yaml").write_text(json.dumps(tree))
    monkeypatch.setattr(evaluate, "SECONDS_BETWEEN_NOTES", 0.0)
    run_in(tmp_path / "again", "evaluate", "vae")
    assert [line for line in capsys.readouterr().out.splitlines() if "likelihood" in line] == [
        f"vae: likelihood, {share}% of the images" for share in (0, 33, 67)
    ]


def test_every_metric_of_the_catalog_is_measured(finished):
    measured = [json.loads(path.read_text()) for path in (finished / "details").glob("*.json")]
    assert set().union(*measured) == BY_NAME.keys() | {"classifier", "latents"}


@pytest.mark.parametrize("stage", [*ONCE, *PER_MODEL])
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


@pytest.mark.parametrize("absolute", [False, True])
def test_the_report_links_to_its_pictures_wherever_it_lies(absolute, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished)
    pictures, output = ((finished if absolute else Path()) / "plots", tmp_path / "deep" / "report")
    report.main(["--details", "details", "--pictures", str(pictures), "--output", str(output)])
    links = re.findall(r'(?:src="|\]\()([^")]+\.png)', (output / "README.md").read_text())
    assert links
    assert all((output / link).resolve().is_file() for link in links)


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


def test_a_training_says_while_it_runs_how_fast_it_is_and_how_long_it_will_take(project, monkeypatch):
    monkeypatch.setattr(train, "SECONDS_BETWEEN_SAVES", 0.0)
    clock = count()  # of train.py alone: a second further whenever it looks, which is twice an epoch
    monkeypatch.setattr(train, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    notes: list[dict[str, Any]] = []
    validate = Training._validation_means

    def read_notes(training: Training) -> torch.Tensor:
        path = Path("timings/train_vae.json")
        notes.append(json.loads(path.read_text()) if path.exists() else {})
        return validate(training)

    monkeypatch.setattr(Training, "_validation_means", read_notes)
    change(project, "vae", epochs=4)
    run_in(project, "train", "vae")
    assert notes[0] == {}
    assert all(note["images_per_second"] > 0 and "cpu" in note["device"] for note in notes[1:])
    assert [note["seconds_left"] for note in notes[1:]] == [6, 4, 2]  # two seconds an epoch, of which one more is done
    assert "seconds_left" not in json.loads((project / "timings/train_vae.json").read_text())
