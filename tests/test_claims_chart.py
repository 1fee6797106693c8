"""The chart follows the numbers, and every name in it can be read."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoencoder.claims_chart import SMALLEST, _name, claims_chart
from autoencoder.comparison import REAL
from autoencoder.config import Parameters

ROOT = Path(__file__).parents[1]
MODELS = Parameters.load(ROOT / "params.yaml").tree["models"]


def test_the_chart_shows_the_models_of_params_yaml_alone(last_run):
    fewer = dict(list(MODELS.items())[::2])
    chart = claims_chart({name: last_run[name] for name in (*fewer, REAL)}, fewer)
    np.testing.assert_array_equal(claims_chart(last_run, fewer), chart)
    assert chart.shape[2] == 3


def test_the_chart_follows_the_numbers(last_run):
    first = claims_chart(last_run, MODELS)
    np.testing.assert_array_equal(claims_chart(last_run, MODELS), first)
    other = last_run | {"vae": {**last_run["vae"], "coverage_normal": [0.1]}}
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


@pytest.mark.parametrize("measured", ["seeds", "seeds_elsewhere"])
@pytest.mark.parametrize("run", range(3))
def test_on_either_machine_names_hide_no_name_and_no_mark(measured, run, monkeypatch):
    found = json.loads((ROOT / f"benchmarks/results/{measured}.json").read_text())
    if run >= len(found["seeds"]):
        pytest.skip(f"{measured}.json is of fewer seeds")
    rows = {name: {key: [values[run]] for key, values in row.items()} for name, row in found["rows"].items()}
    named = []

    def noted(axes: Axes, places: dict) -> None:
        _name(axes, places)
        named.append((axes, places))

    monkeypatch.setattr("autoencoder.claims_chart._name", noted)
    claims_chart(rows, {name: params for name, params in MODELS.items() if name in rows})
    for axes, places in named:
        boxes = [text.get_window_extent() for text in axes.texts]
        marks = axes.transData.transform([place for points in places.values() for place in (points[0], points[-1])])
        for index, box in enumerate(boxes):
            assert box.count_overlaps(boxes[:index]) == 0
            assert box.count_contains(marks) == 0
    assert len(named) == 2


def test_a_figure_of_0_can_be_drawn(last_run):
    none, least = (
        claims_chart(last_run | {"ae": {**last_run["ae"], "label_flip_rate": [rate]}}, MODELS)
        for rate in (0.0, SMALLEST)
    )
    np.testing.assert_array_equal(none, least)
