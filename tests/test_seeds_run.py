"""`make seeds` over two seeds, once: what it writes, and what the viewer learns of it from DVC."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from autoencoder.exported import load_model
from scripts.seeds import RESULTS, apart_from_seed
from tests.repository import PARAMS, make_repository

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A small project in git after `make seeds` over two seeds, and what that said; takes a minute or two."""
    folder = tmp_path_factory.mktemp("repository")
    process = make_repository(folder)
    assert process.returncode == 0, process.stderr
    return folder, process


def test_every_seed_has_its_own_figures_and_the_workspace_keeps_its_seed(repository):
    folder, process = repository
    found = json.loads((folder / RESULTS).read_text())
    assert found["seeds"] == [0, 1]
    assert found["environment"]["torch"] == torch.__version__
    assert found["params_sha256"] == apart_from_seed(PARAMS)
    assert found["rows"].keys() == {"pca", "vae_article", "real"}
    mine = json.loads((folder / "details" / "vae_article.json").read_text())
    for metric, (here, there) in found["rows"]["vae_article"].items():
        assert here == mine[metric], metric
        if metric == "reconstruction_mse":
            assert there != here
    for fixed in ("pca", "real"):  # neither depends on the seed
        assert all(first == second for first, second in found["rows"][fixed].values())
    assert "±" in process.stdout
    assert json.loads((folder / "params.yaml").read_text()) == PARAMS


def test_the_last_commit_and_every_experiment_can_be_compared_with(repository, experiments):
    assert experiments.revisions(repository[0]) == ["HEAD", "seed-1"]


def test_differences_are_those_of_parameters_and_figures(repository, experiments):
    folder = repository[0]
    assert experiments.parameters(folder, "seed-1") == [experiments.Difference("params.yaml", "seed", 1, 0)]
    assert experiments.parameters(folder, "HEAD") == []
    found = experiments.figures(folder, "seed-1")
    assert {item.path for item in found} == {"metrics/vae_article.json"}
    here = json.loads((folder / "metrics" / "vae_article.json").read_text())
    assert all(item.here == pytest.approx(here[item.key]) and item.there != item.here for item in found)


def test_another_runs_export_can_be_opened(repository, experiments):
    folder = repository[0]
    with experiments.export(folder, "seed-1", "vae_article") as fetched:
        there = load_model(fetched, "cpu")
    assert not fetched.exists()
    here = load_model(folder / "models" / "vae_article" / "onnx", "cpu")
    assert there.manifest.model == here.manifest.model
    assert not np.array_equal(there.latents.test_mean, here.latents.test_mean)


def test_an_unknown_revision_is_named(repository, experiments):
    with pytest.raises(experiments.ExperimentError, match="nonsense"):
        experiments.figures(repository[0], "nonsense")
