"""Charts show what they are given: checked by their colours, since all else is matplotlib's."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from autoencoder.charts import ACCENT, dimensions, latent_map
from autoencoder.sheets import DIGIT_COLOURS


def count(picture: np.ndarray, colour: str) -> int:
    """Pixels of exactly this colour."""
    return int((picture == np.rint(np.array(to_rgb(colour)) * 255)).all(-1).sum())


def columns(picture: np.ndarray, colour: str) -> np.ndarray:
    """How many pixels of the colour each column of the picture has."""
    return (picture == np.rint(np.array(to_rgb(colour)) * 255)).all(-1).sum(0)


def codes(dim: int, size: int = 200) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(size, dim)).astype(np.float32)


@pytest.mark.parametrize("dim", [1, 2, 20])
def test_the_map_shows_every_digit_in_its_colour_and_no_other(dim):
    labels = np.arange(200, dtype=np.uint8) % 4
    picture = latent_map("m", codes(dim), labels)
    assert picture.dtype == np.uint8
    assert all(count(picture, colour) > 50 for colour in DIGIT_COLOURS[:4])
    assert all(count(picture, colour) == 0 for colour in DIGIT_COLOURS[4:])


def test_the_map_keeps_digits_apart_where_their_codes_are_apart():
    labels = np.arange(200, dtype=np.uint8) % 2
    points = codes(2) * 0.3
    points[:, 0] += np.where(labels == 0, -8, 8)
    picture = latent_map("m", points, labels)[:-60]  # without the legend
    left, right = (np.flatnonzero(columns(picture, colour)) for colour in DIGIT_COLOURS[:2])
    assert left.max() < right.min()


def test_codes_far_from_the_prior_make_its_circles_small():
    labels = np.zeros(200, np.uint8)

    def width(scale: float) -> int:
        dark = (latent_map("m", codes(2) * scale, labels).max(-1) < 60)[
            60:-200, 120:
        ]  # the circles, not axes and words
        across = np.flatnonzero(dark.any(0))
        return int(np.ptp(across))

    assert width(20) < width(1) / 4


def test_dead_models_have_a_map_too():
    assert latent_map("m", np.zeros((50, 5), np.float32), np.zeros(50, np.uint8)).shape[2] == 3


def test_bars_are_sorted_and_as_high_as_their_values():
    heights = columns(dimensions("m", np.array([1.0, 4.0, 0.0, 2.0]), "nats"), ACCENT)
    bars = [int(part.max()) for part in np.split(heights, np.flatnonzero(np.diff((heights > 0).astype(int))) + 1)]
    tall = [bar for bar in bars if bar]
    assert len(tall) == 3
    assert np.array(tall) / tall[0] == pytest.approx([1, 0.5, 0.25], abs=0.02)


def test_charts_are_the_same_every_time():
    labels = np.arange(200, dtype=np.uint8) % 10
    np.testing.assert_array_equal(latent_map("m", codes(5), labels), latent_map("m", codes(5), labels))


def test_the_map_shows_codes_from_all_of_the_split():
    labels = np.repeat(np.arange(2, dtype=np.uint8), 4000)  # more than it shows
    picture = latent_map("m", np.random.default_rng(0).standard_normal((8000, 2)).astype(np.float32), labels)
    first, second = (count(picture[:-60], colour) for colour in DIGIT_COLOURS[:2])
    assert 0.5 < first / second < 2
