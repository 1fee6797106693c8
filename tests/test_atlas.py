import io

import numpy as np
import pytest
from PIL import Image

from autoencoder import atlas
from autoencoder.atlas import decode_atlas, decode_strips, digits_sheet, slider_ranges
from autoencoder.planes import Frame, Plane


def show_latent(latents: np.ndarray) -> np.ndarray:
    """Pictures whose first pixels are the latent, in hundredths of the grey scale."""
    images = np.zeros((len(latents), 28, 28), np.float32)
    images[:, 0, : latents.shape[1]] = latents * 100 / 255
    return images


def test_the_atlas_has_the_picture_of_every_point_of_the_grid():
    plane = Plane(np.array([0.0, 0.0, 0.5]), np.eye(2, 3))
    found = decode_atlas(show_latent, plane, Frame(np.array([1.0, 1.0]), 1.0), side=3)
    assert found.shape == (3, 3, 28, 28)
    assert found[0, 0, 0, :3].tolist() == [0, 200, 50]
    assert found[0, 2, 0, :3].tolist() == [200, 200, 50]
    assert found[2, 1, 0, :3].tolist() == [100, 0, 50]


def test_a_strip_changes_its_own_dimension_alone(monkeypatch):
    monkeypatch.setattr(atlas, "STRIP_LENGTH", 5)
    point = np.array([0.5, 1.0, 1.5])
    ranges = np.array([[0.0, 2.0], [0.5, 1.5], [1.0, 2.0]])
    strips = decode_strips(show_latent, point, ranges)
    assert strips.shape == (3, 5, 28, 28)
    assert strips[0, :, 0, :3].tolist() == [[value, 100, 150] for value in (0, 50, 100, 150, 200)]
    assert strips[1, :, 0, :3].tolist() == [[50, value, 150] for value in (50, 75, 100, 125, 150)]
    assert strips[2, :, 0, 2].tolist() == [100, 125, 150, 175, 200]


def test_sliders_reach_as_far_as_prior_codes_and_point():
    codes = np.random.default_rng(0).normal(size=(1000, 4)) * [1, 5, 0.001, 0]
    ranges = slider_ranges(np.zeros(4), np.array([1.0, 1.0, 1.0, 1.0]), codes, np.array([0.0, 0.0, 0.0, 9.0]))
    assert ranges[0] == pytest.approx([-3.5, 3.5], rel=0.1)
    assert ranges[1] == pytest.approx([-17.5, 17.5], rel=0.1)
    assert ranges[2] == pytest.approx([-3.5, 3.5])
    assert ranges[3] == pytest.approx([-3.5, 9])


def test_a_dimension_without_any_spread_still_has_a_range():
    codes = np.random.default_rng(0).normal(size=(1000, 2)) * [2, 0]
    assert slider_ranges(np.zeros(2), np.array([2.0, 0.0]), codes, np.zeros(2))[1] == pytest.approx(
        [-3.5, 3.5], rel=0.1
    )
    assert slider_ranges(np.zeros(2), np.zeros(2), np.zeros((5, 2)), np.zeros(2))[1] == pytest.approx([-3.5, 3.5])


def test_the_sheet_has_one_image_after_another(digits):
    images = digits[0][:7]
    pixels = np.asarray(Image.open(io.BytesIO(digits_sheet(images, columns=3))))
    assert pixels.shape == (84, 84)
    np.testing.assert_array_equal(pixels[28:56, 56:84], images[5])
