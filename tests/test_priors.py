"""priors.py: moments, and one noise for all."""

import numpy as np
import pytest

from autoencoder.priors import (
    PRIORS,
    draw_noise,
    exported_priors,
    fitted_gaussian,
    fitted_mixture,
    sample,
    standard_normal,
)

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])


def test_standard_normal_passes_the_noise_through():
    noise = draw_noise(4, 3, seed=0)
    np.testing.assert_array_equal(sample(standard_normal(3), noise), noise.normal.astype(np.float32))


def test_fitted_gaussian_has_the_moments_it_was_given():
    latents = sample(fitted_gaussian(MEAN, COVARIANCE), draw_noise(200_000, 3, seed=0)).astype(np.float64)
    np.testing.assert_allclose(latents.mean(axis=0), MEAN, atol=0.02)
    np.testing.assert_allclose(np.cov(latents.T), COVARIANCE, atol=0.03)


def test_factor_is_a_root_of_the_covariance():
    factor = fitted_gaussian(MEAN, COVARIANCE).factors[0]
    np.testing.assert_allclose(factor @ factor.T, COVARIANCE, atol=1e-12)


def test_a_gaussian_fitted_to_n01_is_n01():
    np.testing.assert_allclose(fitted_gaussian(np.zeros(4), np.eye(4)).factors[0], np.eye(4), atol=1e-12)


def test_dead_dimensions_stay_at_their_mean():
    latents = sample(fitted_gaussian(MEAN, np.diag([1.0, 0.0, 1.0])), draw_noise(50, 3, seed=0))
    np.testing.assert_allclose(latents[:, 1], -2.0, atol=1e-6)
    assert latents[:, 0].std() > 0.5


def test_noise_depends_on_the_seed_alone_and_grows_at_its_end():
    few, many, other = draw_noise(4, 5, seed=3), draw_noise(9, 5, seed=3), draw_noise(4, 5, seed=4)
    for name in ("normal", "uniform"):
        np.testing.assert_array_equal(getattr(many, name)[:4], getattr(few, name))
        assert not np.array_equal(getattr(few, name), getattr(other, name))


def test_temperature_scales_the_deviation_from_the_mean():
    prior, noise = fitted_gaussian(MEAN, COVARIANCE), draw_noise(10, 3, seed=0)
    np.testing.assert_allclose(sample(prior, noise, 0.0), np.tile(MEAN, (10, 1)), atol=1e-6)
    np.testing.assert_allclose(sample(prior, noise, 2.0) - MEAN, 2 * (sample(prior, noise) - MEAN), atol=1e-5)


@pytest.mark.parametrize(
    ("mean", "covariance", "problem"),
    [
        (np.array([np.nan, 0.0]), np.eye(2), "finite"),
        (np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]]), "not symmetric"),
        (np.zeros(2), np.diag([1.0, -1.0]), "semi-definite"),
    ],
)
def test_moments_of_no_gaussian_are_rejected(mean, covariance, problem):
    with pytest.raises(ValueError, match=problem):
        fitted_gaussian(mean, covariance)


def test_a_variance_below_0_by_rounding_is_none():
    np.testing.assert_array_equal(fitted_gaussian(np.zeros(2), np.diag([1.0, -1e-10])).factors[0], np.diag([1.0, 0.0]))


def test_sample_names_what_does_not_fit():
    with pytest.raises(ValueError, match=r"temperature = -0\.1"):
        sample(standard_normal(2), draw_noise(1, 2, seed=0), -0.1)
    with pytest.raises(ValueError, match="the noise has 3 dimensions, the prior 2"):
        sample(standard_normal(2), draw_noise(1, 3, seed=0))


WEIGHTS = np.array([0.7, 0.2, 0.1])
MEANS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, -20.0]])
COVARIANCES = np.stack([np.eye(2), np.diag([0.25, 4.0]), np.array([[1.0, 0.5], [0.5, 1.0]])])


def test_a_mixture_has_the_shares_and_moments_it_was_given():
    latents = sample(fitted_mixture(WEIGHTS, MEANS, COVARIANCES), draw_noise(100_000, 2, seed=0)).astype(np.float64)
    nearest = np.linalg.norm(latents[:, None] - MEANS, axis=2).argmin(1)
    np.testing.assert_allclose(np.bincount(nearest) / len(latents), WEIGHTS, atol=0.005)
    for component in range(3):
        members = latents[nearest == component]
        np.testing.assert_allclose(members.mean(0), MEANS[component], atol=0.05)
        np.testing.assert_allclose(np.cov(members.T), COVARIANCES[component], atol=0.1)


def test_a_mixture_of_one_is_the_gaussian():
    noise = draw_noise(20, 3, seed=0)
    mixture = fitted_mixture(np.ones(1), MEAN[None], COVARIANCE[None])
    np.testing.assert_array_equal(sample(mixture, noise), sample(fitted_gaussian(MEAN, COVARIANCE), noise))


@pytest.mark.parametrize("weights", [[0.5, 0.4], [1.5, -0.5]])
def test_weights_must_be_shares_of_1(weights):
    with pytest.raises(ValueError, match="must be 0 or more and sum to 1; found"):
        fitted_mixture(np.array(weights), MEANS[:2], COVARIANCES[:2])


def test_priors_of_an_export_have_the_moments_in_its_file():
    arrays = {
        "train_mean": MEANS[1],
        "train_covariance": COVARIANCES[2],
        "mixture_weights": WEIGHTS,
        "mixture_means": MEANS,
        "mixture_covariances": COVARIANCES,
    }
    priors = exported_priors(arrays)
    assert list(priors) == list(PRIORS)
    noise = draw_noise(1, 2, seed=0)
    np.testing.assert_array_equal(sample(priors["normal"], noise, 0.0), [[0, 0]])
    np.testing.assert_array_equal(sample(priors["gaussian"], noise, 0.0), MEANS[1:2])
    factor = priors["gaussian"].factors[0]
    np.testing.assert_allclose(factor @ factor.T, COVARIANCES[2])
    assert len(priors["gmm"].weights) == 3
