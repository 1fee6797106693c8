"""What other classifiers and other machines say is told as the figures have it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from autoencoder.comparison import Models
from scripts import robustness
from tests import figures

ROWS = figures.rows(pca__classifier_fid_gmm=30.0)
NAMES: Models = {name: figures.MODELS[name] for name in ROWS if name != "real"}
SEEDS = (1.0, 1.1, 0.9, 1.0)  # what four seeds make of a figure


def repeated(times: Sequence[float], **changes: list[float]) -> dict[str, dict[str, list[float]]]:
    """The figures once for every factor, PCA's without it; `vae__nll=[3, 4]` changes one."""
    found = {
        name: {
            figure: [value * (1 if name == "pca" else factor) for factor in times] for figure, (value,) in row.items()
        }
        for name, row in ROWS.items()
    }
    for key, values in changes.items():
        name, figure = key.split("__")
        found[name][figure] = values
    return found


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """What is said of these figures before three judges."""
    monkeypatch.setattr(robustness, "JUDGES", tmp_path / "judges.json")
    monkeypatch.setattr(robustness, "SEEDS", tmp_path / "seeds.json")
    robustness.SEEDS.write_text(json.dumps({"rows": repeated(SEEDS)}))

    def said(models: Models = NAMES, **changes: list[float]) -> str:
        rows = repeated((1.0, 1.0, 1.0), **changes)
        for row in rows.values():
            row.pop("active_units", None)  # no classifier judges this
        robustness.JUDGES.write_text(json.dumps({"seed": 0, "rows": rows}))
        return robustness.judges(models)

    return said


def test_judges_that_agree(judged):
    text = judged(pca__coverage_normal=[0.1, 0.25, 0.2])
    assert "3 classifiers that differ in nothing but their seed" in text
    assert "; every verdict is the same (" in text
    assert "The share that moves most is `coverage_normal` of `pca`, from 0.10 to 0.25" in text


def test_figures_that_hang_on_the_judge_more_than_on_the_seed_are_counted(judged):
    # 26 of ae, vae and vae_article; those of pca no seed moves
    text = judged(
        vae__coverage_gmm=[0.5, 0.8, 1.1], ae__coverage_gmm=[0.79, 0.8, 0.81], pca__coverage_gmm=[0.1, 0.2, 0.3]
    )
    assert "Of the 26 headline figures that it judges, and that a seed moves, 1 scatter more over class" in text
    text = judged(pca__classifier_fid_gmm=[20.0, 30.0, 40.0])
    assert "Of the 26 headline figures that it judges, and that a seed moves, 0 scatter more over class" in text


def test_a_verdict_that_depends_on_the_judge_is_named(judged):
    text = judged(vae__label_flip_rate=[0.1, 0.29, 0.1])
    moved = "the claim holds (classifier 1, classifier 3) or the claim holds in part (classifier 2)"
    assert f"; not every verdict is the same: on continuity in 20 dimensions, {moved} (" in text


def test_a_model_that_no_judge_has_seen_is_left_out(judged):
    assert "`vae_2d`" not in judged(figures.MODELS)
    assert judged({"other": figures.MODELS["vae"]}).startswith("Not comparable: ")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """What is said of these figures of the seeds 2 and 0 on another machine."""
    monkeypatch.setattr(robustness, "SEEDS", tmp_path / "seeds.json")
    monkeypatch.setattr(robustness, "ELSEWHERE", tmp_path / "elsewhere.json")

    def write(path: Path, cpu: str, seeds: list[int], rows: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
        machine = {"cpu": cpu, "cpu_cores": 2, "torch": "3.0"}
        path.write_text(json.dumps({"environment": machine, "params_sha256": "a", "seeds": seeds, "rows": rows}))

    def said(seeds: tuple[int, ...] = (2, 0), **changes: list[float]) -> str:
        write(robustness.SEEDS, "6502", [0, 1, 2, 3], repeated(SEEDS))
        write(robustness.ELSEWHERE, "Z80", list(seeds), repeated((0.9, 1.0), **changes))
        return robustness.elsewhere(NAMES)

    return said


def test_a_machine_that_gives_the_same(elsewhere):
    text, _, table = elsewhere().partition("\n\n")
    assert "The trainings of the seeds 2, 0, and" in text
    assert "(Z80, 2 cores, torch 3.0; the first: 6502, 2 cores, torch 3.0)" in text
    assert "; every verdict is the same." in text
    assert "seed by seed: `pca`, `ae`, `vae`, `vae_article`." in text
    assert "headline figures" not in text  # none differs
    assert "`classifier_fid_gmm` 30 there, 30 here." in text
    assert "| coverage_normal ↑ |" in table


def test_what_another_machine_changes_is_told(elsewhere):
    text = elsewhere(
        ae__coverage_gmm=[1.6, 1.6],
        pca__classifier_fid_gmm=[25.0, 25.0],
        vae__reconstruction_mse=[0.009, 0.009],
        vae__label_flip_rate=[0.29, 0.29],
    )
    assert (
        "; not every verdict is the same: on continuity in 20 dimensions, the claim holds (here) or the claim holds in part "
        "(there)." in text
    )
    assert "seed by seed: `pca`, `ae`, `vae_article`." in text
    # (0.29 - 0.095) / 0.00816: from the mean of these two seeds here, by the deviation of all four
    assert (
        "Of the 3 headline figures that differ, and that a seed moves, 1 are there within one standard deviation over "
        "seeds of where they are here, and 2 more than 2 away: `label_flip_rate` of `vae`, by 23.9 (0.29 "
        "there, 0.095 here); `coverage_gmm` of `ae`, by 12.9 (1.6 there, 0.76 here)." in text
    )
    assert "`classifier_fid_gmm` 25 there, 30 here." in text


def test_what_cannot_be_compared_is_not(elsewhere):
    assert elsewhere(seeds=(7, 8)).startswith("Not comparable: ")
