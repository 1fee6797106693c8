"""The comparison over several seeds: every seed's own figures, and a workspace that stays as it was."""

import json
import re
import shutil
import sys

import pytest
import torch

from autoencoder.config import Parameters
from scripts import measured
from scripts.seeds import RESULTS, apart_from_seed
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


def test_a_seed_is_all_that_may_differ_between_results_to_compare():
    assert apart_from_seed({**PARAMS, "seed": 7}) == apart_from_seed(PARAMS)
    changed = {**PARAMS, "data": {**PARAMS["data"], "validation_size": 1}}
    assert apart_from_seed(changed) != apart_from_seed(PARAMS)


def test_what_another_machine_changes_is_told(tmp_path, monkeypatch):
    models = Parameters.load(ROOT / "params.yaml").tree["models"]
    first = json.loads((ROOT / RESULTS).read_text())
    monkeypatch.setattr(measured, "ELSEWHERE", tmp_path / "elsewhere.json")

    def said(**changed) -> str:
        other = {**first, "environment": {"cpu": "Z80", "instructions": "LDIR", "cpu_cores": 1, "torch": "0.1"}}
        measured.ELSEWHERE.write_text(json.dumps({**other, **changed}))
        return measured.elsewhere(models).partition("\n")[0]

    def with_figure(model: str, figure: str, values: list[float]) -> dict[str, dict]:
        return {**first["rows"], model: {**first["rows"][model], figure: values}}

    text = said()
    assert "on another machine (Z80, 1 cores, LDIR, torch 0.1; the first: AMD EPYC" in text
    assert "every verdict is the same" in text
    moved, close = map(
        int, re.search(r"Of the (\d+) headline figures .* the means of (\d+) differ by at most", text).groups()
    )
    assert moved == close > 50
    text = said(rows=with_figure("ae", "knn_accuracy", [4, 4, 4, 4, 4]))
    assert f"the means of {moved - 1} differ by at most" in text
    assert "is `knn_accuracy` of `ae`: 4 there, 0.97" in text
    text = said(rows=with_figure("ae_2d", "label_flip_rate", [0.001] * 5))
    assert (
        "these verdicts depend on it: on continuity in 2 dimensions, the claim holds or the claim holds in part" in text
    )
    assert said(params_sha256="of another").endswith("they cannot be compared.")


def test_outside_git_it_says_what_to_do(tmp_path):
    for name in ("scripts", "autoencoder", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    process = run(tmp_path, sys.executable, "-m", "scripts.seeds")
    assert process.returncode == 1
    assert process.stderr == "error: experiments need git: git init && git add -A && git commit -m start\n"
