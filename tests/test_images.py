"""images.py: values, not looks."""

import io

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from PIL import Image

from autoencoder.images import encode_png, image_grid, to_uint8, to_unit_interval

LEVELS = np.arange(256, dtype=np.uint8)


def test_shapes_and_types_are_checked_while_tests_run():
    """Of this module, which a conftest imports; if not, the shapes in the library's signatures would prove nothing."""
    with pytest.raises(TypeCheckError):
        to_uint8(np.zeros(3, np.int64))
    with pytest.raises(TypeCheckError):
        image_grid(np.zeros((28, 28), np.uint8), columns=1)


def test_unit_interval_is_pixel_over_255_in_float32():
    unit = to_unit_interval(LEVELS)
    assert unit.dtype == np.float32
    np.testing.assert_array_equal(unit, (LEVELS.astype(np.float64) / 255).astype(np.float32))


def test_torch_gets_the_same_bits_as_numpy():
    unit = to_unit_interval(torch.arange(256, dtype=torch.uint8))
    assert unit.dtype == torch.float32
    np.testing.assert_array_equal(unit.numpy(), to_unit_interval(LEVELS))


def test_every_grey_level_survives_the_round_trip():
    np.testing.assert_array_equal(to_uint8(to_unit_interval(LEVELS)), LEVELS)


def test_to_uint8_rounds_and_clips():
    np.testing.assert_array_equal(to_uint8(np.array([-0.5, 0.4 / 255, 0.6 / 255, 1.5])), [0, 0, 1, 255])


def test_grid_places_images_row_by_row():
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    grid = image_grid(images, columns=3, gap=1, background=9)
    assert grid.shape == (5, 8)
    assert grid[0].tolist() == [1, 1, 9, 2, 2, 9, 3, 3]
    assert grid[2].tolist() == [9] * 8
    assert grid[3].tolist() == [4, 4, 9, 5, 5, 9, 9, 9]


def test_grid_scales_by_nearest_neighbour_and_leaves_the_gap():
    grid = image_grid(np.array([[[0.0, 1.0]], [[1.0, 0.0]]]), columns=2, gap=1, scale=2, background=7)
    assert grid.tolist() == [[0, 0, 255, 255, 7, 255, 255, 0, 0]] * 2


def test_grid_keeps_colour():
    grid = image_grid(np.full((2, 3, 4, 3), [1, 2, 3], np.uint8), columns=1, gap=1)
    assert grid.shape == (7, 4, 3)
    assert grid[6, 3].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("count", "options"), [(0, {}), (1, {"columns": 0}), (1, {"scale": 0}), (1, {"gap": -1})])
def test_grid_rejects_what_it_cannot_arrange(count, options):
    with pytest.raises(ValueError, match=f"cannot arrange {count} images"):
        image_grid(np.zeros((count, 2, 2)), **{"columns": 1, **options})


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_is_lossless_and_deterministic(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    content = encode_png(pixels)
    assert content == encode_png(pixels.copy())
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)
