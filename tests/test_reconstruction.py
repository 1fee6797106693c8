import numpy as np
import pytest

from autoencoder.exported import load_model
from autoencoder.images import to_unit_interval
from autoencoder.priors import draw_noise
from autoencoder.reconstruction import mean_squared_errors, reconstruct, share_below


@pytest.fixture
def images(digits):
    return to_unit_interval(digits[0][:6])


def test_errors_are_means_over_pixels(images):
    moved = images.copy()
    moved[1] += 0.5
    assert mean_squared_errors(images, moved) == pytest.approx([0, 0.25, 0, 0, 0, 0])


def test_an_error_stands_where_the_others_leave_it():
    errors = np.array([0.1, 0.2, 0.3, 0.4])
    assert [share_below(error, errors) for error in (0.05, 0.25, 0.9)] == [0, 0.5, 1]


def test_the_mean_is_decoded_unless_a_draw_is_asked_for(export, tmp_path, images):
    model = load_model(export(tmp_path, "vae", "vae"), "cpu")
    np.testing.assert_array_equal(reconstruct(model, images), model.decode(model.encode(images).mean))
    drawn = reconstruct(model, images, posterior_seed=4)
    noise = draw_noise(6, 8, 4).normal
    expected = model.decode((model.encode(images).mean + np.exp(-1) * noise).astype(np.float32))  # log_var is -2
    np.testing.assert_allclose(drawn, expected, atol=1e-5)
    assert not np.array_equal(reconstruct(model, images, posterior_seed=5), drawn)


def test_an_autoencoder_has_nothing_to_draw(export, tmp_path, images):
    model = load_model(export(tmp_path, "ae", "ae"), "cpu")
    np.testing.assert_array_equal(reconstruct(model, images, posterior_seed=4), model.decode(model.encode(images).mean))
