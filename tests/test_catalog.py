"""The catalog says of every metric that is written what it means."""

import json
from pathlib import Path

import pytest

from autoencoder.catalog import BY_NAME, METRICS
from autoencoder.headline import HEADLINE

ROOT = Path(__file__).parents[1]


def test_names_are_unique():
    assert len(BY_NAME) == len(METRICS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("details/*.json")), ids=lambda path: path.stem)
def test_every_metric_is_in_the_catalog(path):
    assert set(json.loads(path.read_text())) <= BY_NAME.keys() | {"classifier", "latents"}


def test_a_row_of_the_headline_fits_a_screen():
    assert set(HEADLINE) <= BY_NAME.keys()
    assert len(HEADLINE) <= 12
