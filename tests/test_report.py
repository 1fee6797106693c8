"""The page shows pictures that exist, and what is in git is what its numbers make."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from autoencoder.comparison import REAL, as_rows
from autoencoder.config import Parameters
from autoencoder.report import _name, claims_chart, page

ROOT = Path(__file__).parents[1]
MODELS = Parameters.load(ROOT / "params.yaml").tree["models"]


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, list[float | int]]]:
    """What the last run measured."""
    return as_rows({name: json.loads((ROOT / "details" / f"{name}.json").read_text()) for name in [*MODELS, REAL]})


def test_every_picture_of_the_page_is_there(rows):
    text = page(rows, MODELS, "../plots")
    links = re.findall(r'(?:src="|\]\()([^")]+\.png)', text)
    assert len(links) > 8
    for link in links:
        assert (ROOT / "report" / link).resolve().is_file(), link


def test_the_page_lists_the_models_of_params_yaml_alone(rows):
    fewer = {name: MODELS[name] for name in ("pca", "vae_2d")}
    text = page(rows, fewer, "../plots")
    assert "`vae_2d`" in text
    assert "`vae`" not in text
    assert "there is nothing to compare" in text
    assert "None of them is in params.yaml." in text
    assert claims_chart({name: rows[name] for name in (*fewer, REAL)}, fewer).shape[2] == 3


def test_the_chart_follows_the_numbers(rows):
    first = claims_chart(rows, MODELS)
    np.testing.assert_array_equal(claims_chart(rows, MODELS), first)
    other = rows | {"vae": {**rows["vae"], "coverage_normal": [0.1]}}
    assert not np.array_equal(claims_chart(other, MODELS), first)


@pytest.mark.parametrize(
    "crowd", [[(0.5, 0.5), (0.51, 0.51), (0.49, 0.51)], [(0.99, 0.99), (0.01, 0.01), (0.99, 0.01)]]
)
def test_names_hide_no_point_and_no_name_and_stay_inside(crowd):
    figure = Figure(figsize=(5, 5))
    axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
    places = {f"model_{index}": np.array([point]) for index, point in enumerate(crowd)}
    _name(axes, places)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == list(places)
    for index, box in enumerate(boxes):
        assert box.count_contains(axes.transData.transform(crowd)) == 0
        assert box.count_overlaps(boxes[:index]) == 0
        assert axes.bbox.count_contains(box.corners()) == 4


def test_a_figure_of_0_can_be_drawn(rows):
    claims_chart(rows | {"ae": {**rows["ae"], "label_flip_rate": [0.0]}}, MODELS)
