"""sheets.py: values, not looks."""

import numpy as np
import pytest

from autoencoder.sheets import difference_image, labelled_rows


def test_difference_is_white_where_equal_red_where_too_bright_blue_where_too_dark():
    image, reconstruction = np.array([[[0.5, 0.0, 1.0, 0.0]]]), np.array([[[0.5, 1.0, 0.0, 0.5]]])
    equal, bright, dark, half = difference_image(image, reconstruction)[0, 0]
    assert equal.tolist() == [255, 255, 255]
    assert bright.tolist() == [178, 24, 43]
    assert dark.tolist() == [33, 102, 172]
    np.testing.assert_allclose(half, (255 + bright.astype(float)) / 2, atol=0.5)


def test_difference_saturates_at_the_limit():
    image, reconstruction = np.zeros((1, 1, 2)), np.array([[[0.5, 0.9]]])
    at_limit, beyond = difference_image(image, reconstruction, limit=0.5)[0, 0]
    assert at_limit.tolist() == beyond.tolist() == [178, 24, 43]
    with pytest.raises(ValueError, match="limit = 0"):
        difference_image(image, reconstruction, limit=0.0)


def test_labelled_rows_hold_every_pixel_and_a_label():
    first, second = np.full((2, 28, 28), 10, np.uint8), np.full((2, 28, 28), 20, np.uint8)
    sheet = labelled_rows({"first": first, "second": second}, scale=1)
    assert sheet.ndim == 2
    assert (sheet == 10).sum() >= first.size
    assert (sheet == 20).sum() >= second.size
    assert (sheet[:, :40] < 128).any()


def test_labelled_rows_turn_to_colour_when_one_row_has_any():
    grey, red = np.zeros((1, 28, 28), np.uint8), np.full((1, 28, 28, 3), [255, 0, 0], np.uint8)
    sheet = labelled_rows({"grey": grey, "red": red}, scale=1)
    assert (sheet.reshape(-1, 3) == [255, 0, 0]).all(axis=1).sum() >= 784


def test_labelled_rows_break_into_lines():
    images = np.zeros((6, 28, 28), np.uint8)
    wide, broken = labelled_rows({"a": images}, scale=1), labelled_rows({"a": images}, scale=1, columns=2)
    assert wide.shape[1] - broken.shape[1] == 4 * (28 + 4)
    assert broken.shape[0] - wide.shape[0] == 2 * (28 + 4)
    with pytest.raises(ValueError, match="no rows"):
        labelled_rows({})
