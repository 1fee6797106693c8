"""What the benchmarks compute, not how fast they are."""

import json
import sys

import numpy as np
import pytest
import torch

from autoencoder.models import MODEL_PARAMS, VAE, build_model
from benchmarks import epochs, report, serving
from benchmarks.machine import spread


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
