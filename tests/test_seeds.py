"""The comparison over several seeds: every seed's own figures, and a workspace that stays as it was."""

import json
import shutil
import sys

import pytest
import torch

from scripts.seeds import RESULTS, apart_from_seed, of_experiment
from tests.repository import PARAMS, ROOT, run


@pytest.mark.slow
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


def test_seed_and_mirrors_are_all_that_may_differ_between_results_to_compare():
    assert apart_from_seed({**PARAMS, "seed": 7}) == apart_from_seed(PARAMS)
    elsewhere = {**PARAMS, "data": {**PARAMS["data"], "mirrors": {"digits": ["http://localhost:1/"]}}}
    assert apart_from_seed(elsewhere) == apart_from_seed(PARAMS)
    changed = {**PARAMS, "data": {**PARAMS["data"], "validation_size": 1}}
    assert apart_from_seed(changed) != apart_from_seed(PARAMS)


def test_an_experiment_is_read_where_the_project_is_a_folder_of_a_larger_repository(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.json").write_text("{}")
    for arguments in (
        ("init", "-q"),
        ("add", "-A"),
        ("commit", "-qm", "start"),
        ("update-ref", "refs/exps/1/tried", "HEAD"),
    ):
        assert run(tmp_path, "git", *arguments).returncode == 0
    monkeypatch.chdir(project)
    assert of_experiment("tried")("a.json") == "{}"


def test_outside_git_it_says_what_to_do(tmp_path):
    for name in ("scripts", "autoencoder", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    process = run(tmp_path, sys.executable, "-m", "scripts.seeds")
    assert process.returncode == 1
    assert process.stderr == "error: experiments need git: git init && git add -A && git commit -m start\n"
