import numpy as np
import pytest

from autoencoder.density import DensityParams, fit_gaussian, fit_mixture
from autoencoder.priors import draw_noise, fitted_mixture, sample

WEIGHTS = np.array([0.6, 0.4])
MEANS = np.array([[0.0, 0.0, 1.0], [8.0, -8.0, 1.0]])
COVARIANCES = np.stack([np.diag([1.0, 2.0, 0.0]), np.diag([0.5, 0.5, 0.0])])  # the last dimension is dead
CODES = sample(fitted_mixture(WEIGHTS, MEANS, COVARIANCES), draw_noise(4000, 3, seed=0)).astype(np.float64)


def test_the_gaussian_has_the_codes_moments():
    found = fit_gaussian(CODES)
    np.testing.assert_allclose(found["train_mean"], CODES.mean(0))
    np.testing.assert_allclose(found["train_covariance"], np.cov(CODES.T))


def test_one_dimension_gives_a_matrix_too():
    assert fit_gaussian(CODES[:, :1])["train_covariance"].shape == (1, 1)


def test_the_mixture_finds_what_the_codes_were_drawn_from():
    found = fit_mixture(DensityParams(components=2, codes=4000), CODES)
    np.testing.assert_allclose(found["mixture_weights"], WEIGHTS, atol=0.02)  # the heaviest first
    np.testing.assert_allclose(found["mixture_means"], MEANS, atol=0.1)
    np.testing.assert_allclose(found["mixture_covariances"], COVARIANCES, atol=0.15)


def test_the_mixture_is_the_same_every_time_and_follows_its_codes():
    params = DensityParams(components=3, codes=500)
    first, again, fewer = fit_mixture(params, CODES), fit_mixture(params, CODES), fit_mixture(params, CODES[:500])
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        np.testing.assert_array_equal(value, fewer[name])


@pytest.mark.parametrize(
    "codes", [np.zeros((200, 2)), np.repeat(np.eye(2), 100, axis=0)], ids=["collapsed", "two points"]
)
def test_codes_without_spread_still_give_a_prior(codes):
    found = fit_mixture(DensityParams(components=2, codes=200), codes)
    prior = fitted_mixture(*(found[f"mixture_{name}"] for name in ("weights", "means", "covariances")))
    assert np.isfinite(sample(prior, draw_noise(10, 2, seed=0))).all()
