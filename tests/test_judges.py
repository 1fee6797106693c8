"""Other classifiers before the same models: the first is the pipeline's own, and what they say is told in words."""

import json
from pathlib import Path

import pytest

from autoencoder.comparison import REAL
from autoencoder.config import Parameters
from benchmarks import judges
from scripts import measured
from tests.tiny_project import MODELS

ROOT = Path(__file__).parents[1]


def test_the_first_judge_is_the_pipeline_s_and_the_others_are_others(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setattr(judges, "DATA", Path("data/digits.npz"))
    monkeypatch.setattr(judges, "RESULTS", tmp_path)
    monkeypatch.setattr(judges, "JUDGES", 2)
    assert judges.main() == 0
    rows = json.loads((tmp_path / "judges.json").read_text())["rows"]
    assert list(rows) == sorted([*MODELS, REAL])
    for name, row in rows.items():
        details = json.loads(Path(f"details/{name}.json").read_text())
        assert {metric: values[0] for metric, values in row.items()} == pytest.approx(
            {metric: details[metric] for metric in row}, rel=1e-3
        )
        first, second = row["classifier_fid_gmm"]
        assert first != second
    assert "digits_drawn_normal" in rows["pca"]


def test_without_models_there_is_nothing_to_judge(tmp_path, monkeypatch, capsys):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    assert judges.main() == 1
    assert capsys.readouterr().err == "error: data/mnist.npz is missing; make it with `make repro`\n"


def test_a_verdict_that_depends_on_the_judge_is_named(tmp_path, monkeypatch):
    models = Parameters.load(ROOT / "params.yaml").tree["models"]
    found = json.loads(measured.JUDGES.read_text())
    monkeypatch.setattr(measured, "JUDGES", tmp_path / "judges.json")

    def said(**flips: list[float]) -> str:
        changed = {
            name: {**row, "label_flip_rate": flips.get(name, row["label_flip_rate"])} for name, row in rows.items()
        }
        measured.JUDGES.write_text(json.dumps({**found, "rows": changed}))
        return measured.judges(models).partition("\n")[0]

    alike = {"normalized_path_length": [1.0, 1.0, 1.0], "label_flip_rate": [0.1, 0.1, 0.1]}
    rows = {name: {**row, **alike} for name, row in found["rows"].items()}
    assert "on continuity" not in said()
    assert "The share that moves most is `prior_acceptance_normal` of `pca`, from 0." in said()
    text = said(ae=[0.1, 0.3, 0.1])
    assert "on continuity in 20 dimensions, the claim does not hold or the claim holds in part" in text
