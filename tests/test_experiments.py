"""What the viewer learns from DVC: experiments, differences, and the exports of another run."""

import json

import numpy as np
import pytest

from autoencoder.exported import load_model
from tests.pages import APP


@pytest.fixture
def experiments(monkeypatch):
    monkeypatch.syspath_prepend(APP)
    import experiments

    return experiments


@pytest.mark.slow
def test_the_last_commit_and_every_experiment_can_be_compared_with(repository, experiments):
    assert experiments.revisions(repository[0]) == ["HEAD", "seed-1"]


@pytest.mark.slow
def test_differences_are_those_of_parameters_and_figures(repository, experiments):
    folder = repository[0]
    assert experiments.parameters(folder, "seed-1") == [experiments.Difference("params.yaml", "seed", 1, 0)]
    assert experiments.parameters(folder, "HEAD") == []
    found = experiments.figures(folder, "seed-1")
    assert {item.path for item in found} == {"metrics/vae_article.json"}
    here = json.loads((folder / "metrics" / "vae_article.json").read_text())
    assert all(item.here == pytest.approx(here[item.key]) and item.there != item.here for item in found)


@pytest.mark.slow
def test_another_runs_export_can_be_opened(repository, experiments):
    folder = repository[0]
    with experiments.export(folder, "seed-1", "vae_article") as fetched:
        there = load_model(fetched, "cpu")
    assert not fetched.exists()
    here = load_model(folder / "models" / "vae_article" / "onnx", "cpu")
    assert there.manifest.model == here.manifest.model
    assert not np.array_equal(there.latents.test_mean, here.latents.test_mean)


@pytest.mark.slow
def test_an_unknown_revision_is_named(repository, experiments):
    with pytest.raises(experiments.ExperimentError, match="nonsense"):
        experiments.figures(repository[0], "nonsense")


def test_without_dvc_there_is_one_message(tmp_path, experiments):
    with pytest.raises(experiments.ExperimentError, match="not inside of a DVC repository"):
        experiments.revisions(tmp_path)


def test_a_command_that_hangs_is_given_up(tmp_path, experiments, monkeypatch):
    monkeypatch.setattr(experiments, "SECONDS", 0.01)
    with pytest.raises(experiments.ExperimentError, match=r"^`dvc exp` has not answered within 0\.01 s$"):
        experiments.revisions(tmp_path)
