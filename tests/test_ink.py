"""Ink is found under uneven light, and dirt is not taken for it."""

import numpy as np
import pytest

from autoencoder.ink import _regions, absorbed, blurred, find_digit, resized

LIGHT = np.linspace(0.5, 1, 384) * np.linspace(1, 0.7, 288)[:, None]


@pytest.fixture
def stroke() -> np.ndarray:
    """A cross of straight strokes."""
    covered = np.zeros((288, 384), bool)
    covered[100:200, 180:192] = covered[145:155, 140:240] = True
    return covered


def test_ink_is_the_part_of_the_light_that_is_missing(stroke):
    ink = absorbed(LIGHT * np.where(stroke, 0.3, 0.9))
    np.testing.assert_allclose(ink[stroke], 2 / 3, atol=0.03)
    np.testing.assert_allclose(ink[~stroke], 0, atol=0.03)


def test_bright_ink_on_a_dark_board(stroke):
    ink = absorbed(np.where(stroke, 0.9, 0.2) + 0.05 * LIGHT)
    assert ink[stroke].min() > 0.7
    assert np.abs(ink[~stroke]).max() < 0.05


def test_the_edge_of_a_shadow_is_no_ink(stroke):
    light = np.where(np.arange(384) < 120, 0.6, 1.0)
    digit = find_digit(absorbed(light * np.where(stroke, 0.3, 0.9)))
    assert (digit == stroke).mean() > 0.995


def test_specks_and_what_touches_the_edge_are_left_out(stroke):
    dirty = stroke.copy()
    dirty[40:46, 40:46] = dirty[:, :20] = dirty[270:, 300:330] = True
    found = find_digit(0.6 * dirty)
    np.testing.assert_array_equal(found[150], stroke[150])
    assert not found[:90].any()
    assert not found[210:].any()


def test_what_touches_the_edge_counts_where_it_is_alone():
    alone = np.zeros((100, 100))
    alone[:, 40:50] = 0.6
    assert find_digit(alone)[:, 42:48].all()


def test_noise_alone_is_no_digit():
    assert not find_digit(np.random.default_rng(0).normal(0, 0.05, (288, 384))).any()


def test_regions_are_connected_through_corners():
    mask = np.array([[1, 0, 0, 1, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 1], [1, 0, 0, 1, 0]], bool)
    regions = _regions(mask)
    assert len(np.unique(regions)) == 4
    assert len({regions[0, 0], regions[1, 1], regions[2, 2], regions[3, 3], regions[2, 4]}) == 1
    assert regions[0, 3] == regions[0, 4] != regions[3, 0]
    assert not regions[~mask].any()


def test_a_long_winding_stroke_is_one_region():
    mask = np.zeros((41, 60), bool)
    mask[::2] = mask[1::4, -1] = mask[3::4, 0] = True
    assert _regions(mask).max() == 1


def test_a_blur_keeps_the_sum_and_has_its_width():
    values = np.zeros((41, 41))
    values[20, 20] = 1
    smooth = blurred(values, 2.0)
    np.testing.assert_allclose(smooth.sum(), 1)
    np.testing.assert_allclose((smooth.sum(0) * (np.arange(41) - 20) ** 2).sum(), 4, rtol=0.05)


def test_resizing_keeps_levels():
    np.testing.assert_allclose(resized(np.full((10, 20), 0.3), 7, 33), np.full((7, 33), 0.3), atol=1e-6)
