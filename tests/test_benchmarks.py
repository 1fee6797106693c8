"""What the benchmarks compute, not how fast they are."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from autoencoder.datasets import make_digits, write_dataset
from autoencoder.models import MODEL_PARAMS, VAE, build_model
from benchmarks import epochs, gpu, report, serving
from benchmarks.machine import spread
from scripts.dvc_command import lay_out
from tests.small_params import small_params

ROOT = Path(__file__).parents[1]
OPTIMISATION = {
    "latent_dim": 3,
    "network": {"type": "mlp", "hidden": [64]},
    "likelihood": "bernoulli",
    "binarize": "none",
    "optimizer": "muon",
    "epochs": 60,
    "batch_size": 32,
    "learning_rate": 0.005,
    "learning_rate_warmup": 0.1,
    "weight_decay": 0.01,
    "grad_clip": 5.0,
}
PARAMS = small_params(
    models={
        "ae": {"kind": "ae", **OPTIMISATION},
        "vae": {"kind": "vae", **OPTIMISATION, "beta": 1.0, "kl_warmup": 0.1, "importance_samples": 1},
    },
    validation_size=240,
    evaluate={"batch_size": 1000, "iwae_samples": 5, "iwae_images": 100, "neighbors": 3},
)


def test_the_arithmetic_of_the_articles_network_is_what_one_counts_by_hand():
    products = 2 * (784 * 256 + 256 * 64 + 64 * 20)  # multiply-adds of one image, forward
    by_hand = 2 * (3 * products - 784 * 256)  # forward, and two gradients but that of the image
    assert epochs.flops_per_image(epochs.NETWORKS["article AE, batch 256"]) == by_hand


def test_convolutions_count():
    conv, mlp = (epochs.flops_per_image(epochs.NETWORKS[name]) for name in ("conv VAE", "MLP VAE"))
    assert conv > 5 * mlp


def test_the_numpy_decoder_decodes_as_torch_does():
    params = {"kind": "vae", "latent_dim": 3, "network": {"type": "mlp", "hidden": [16, 8]}}
    model = build_model(MODEL_PARAMS.validate_python(params), seed=0)
    assert isinstance(model, VAE)
    latent = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(latent)).numpy()
    np.testing.assert_allclose(serving._numpy_decoder(model)(latent), expected, atol=1e-6)


def test_spread():
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs parts as the command line would and returns the exit code and the results file."""
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    def run(*wanted, parts, environment=None):
        monkeypatch.setattr(sys, "argv", ["x", *wanted])
        with pytest.raises(SystemExit) as stopped:
            report.run_parts("x", "", environment or {"cpu": "a"}, parts)
        path = tmp_path / "x.json"
        return stopped.value.code, json.loads(path.read_text()) if path.exists() else None

    return run


def test_results_of_other_parts_stay_while_the_machine_is_the_same(run):
    assert run(parts={"a": lambda: 1.23456, "b": lambda: {"c": [2]}}) == (
        0,
        {"environment": {"cpu": "a"}, "a": 1.235, "b": {"c": [2]}},
    )
    parts = {"a": lambda: 9, "b": lambda: 9}
    assert run("a", parts=parts)[1] == {"environment": {"cpu": "a"}, "a": 9, "b": {"c": [2]}}
    assert run("a", parts=parts, environment={"cpu": "b"})[1] == {"environment": {"cpu": "b"}, "a": 9}


def test_a_part_that_fails_costs_no_other(run):
    def fails():
        raise RuntimeError("no such thing")

    assert run(parts={"a": fails, "b": lambda: 2}) == (1, {"environment": {"cpu": "a"}, "b": 2})


def test_an_unknown_part_is_named(run):
    assert run("c", parts={"a": lambda: 1}) == ("error: no part called c; expected a", None)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """The GPU's benchmark on the CPU, over scikit-learn's digits: what it does, that is, but not how fast."""
    monkeypatch.chdir(ROOT)
    lay_out(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of the processes that train
    Path("params.yaml").write_text(json.dumps(PARAMS))
    write_dataset(Path("data/digits.npz"), make_digits())
    monkeypatch.setattr(gpu, "configure", lambda *_, **__: None)
    return gpu.Bench(Path("data/digits.npz"), tmp_path / "pipeline", torch.device("cpu"))


@pytest.mark.slow
def test_the_gpu_s_benchmark_compares_bytes_and_sees_what_was_resumed(bench):
    found = bench.same_bytes()
    assert found["files"] == 1 + 60 + 1  # weights, a picture of every epoch, the curve
    assert found["again"]
    assert found["killed"]
    assert found["resumed"]


def test_the_gpu_s_benchmark_measures_seeds_on_both_devices(bench, monkeypatch):
    monkeypatch.setitem(bench.models["vae"], "epochs", 2)
    found = bench.cpu_agreement()
    assert found["cpu"] == found["gpu"]  # both are the CPU here
    assert {name: len(values) for name, values in found["cpu"].items()}["nll"] == 3
    assert len(set(found["cpu"]["nll"])) == 3
    assert found["ae_validation_loss"]["cpu"] == found["ae_validation_loss"]["gpu"]


def test_the_gpu_s_benchmark_times_training(bench, monkeypatch):
    monkeypatch.setitem(bench.models["vae"], "epochs", 2)
    found = bench.tf32()
    assert found["tf32"]["validation_loss"] == found["ieee"]["validation_loss"]
    assert all(seconds > 0 for seconds in found["tf32"]["seconds"])


def test_the_gpu_s_benchmark_compares_every_exported_graph(bench, export, export_reader):
    export(Path(), "ae", "ae", latent_dim=3)
    export(Path(), "vae", "vae", latent_dim=3)
    export_reader(Path())
    found = bench.providers_agree()
    assert set(found) == {
        "ae.mean",
        "ae.reconstruction",
        "classifier.probability",
        "vae.log_var",
        "vae.mean",
        "vae.reconstruction",
    }
    assert all(value["max_abs"] == 0 for value in found.values())
