"""The catalog says of every metric that is written what it means."""

import json
from pathlib import Path

import pytest

from autoencoder.catalog import BY_NAME, METRICS
from autoencoder.headline import HEADLINE, significant

ROOT = Path(__file__).parents[1]


def test_names_are_unique():
    assert len(BY_NAME) == len(METRICS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("details/*.json")), ids=lambda path: path.stem)
def test_every_metric_is_in_the_catalog(path):
    assert set(json.loads(path.read_text())) <= BY_NAME.keys() | {"classifier", "latents"}


def test_a_row_of_the_headline_fits_a_screen():
    assert set(HEADLINE) <= BY_NAME.keys()
    assert len(HEADLINE) <= 12


def test_figures_are_written_with_five_digits_and_counts_in_full():
    assert [significant(value) for value in (0.0123456, 89.12345, 1_234_567)] == [0.012346, 89.123, 1_234_567]
    assert significant([123.456, 1.23456e-7]) == [123.46, 1.2346e-7]
