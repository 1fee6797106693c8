"""Other classifiers before the same models: the first is the pipeline's own."""

import json
from pathlib import Path

import pytest

from autoencoder.comparison import REAL
from benchmarks import judges
from tests.tiny_project import MODELS

ROOT = Path(__file__).parents[1]


def test_the_first_judge_is_the_pipeline_s_and_the_others_are_others(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setattr(judges, "DATA", Path("data/digits.npz"))
    monkeypatch.setattr(judges, "RESULTS", tmp_path)
    monkeypatch.setattr(judges, "JUDGES", 2)
    judges.main()
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


def test_without_models_there_is_nothing_to_judge(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"^error: data/mnist\.npz is missing; make it with `make repro`$"):
        judges.main()


def test_models_of_another_data_set_are_not_judged_on_mnist(finished, monkeypatch):
    monkeypatch.chdir(finished)
    with pytest.raises(SystemExit, match=r"^error: params\.yaml: data\.dataset = digits: this is measured on mnist$"):
        judges.main()
