import numpy as np
import pytest

from autoencoder.planes import Plane
from autoencoder.priors import Prior, draw_noise, fitted_gaussian, sample, standard_normal
from autoencoder.surroundings import (
    Mahalanobis,
    code_spread,
    mahalanobis,
    nearest_codes,
    outline,
    shadow,
    typical_code,
)

COVARIANCE = np.array([[4.0, 1.0], [1.0, 1.0]])


def sigmas(measure: Mahalanobis, points: np.ndarray) -> np.ndarray:
    """The distance from the mean, as latent_picture.js computes it for the one point."""
    return np.linalg.norm((points - measure.mean) @ measure.whitening.T, axis=1)


def test_distance_from_the_standard_normal_is_the_length():
    measure = mahalanobis(standard_normal(3))
    assert sigmas(measure, np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]])) == pytest.approx([0, 5])
    assert measure.spread == pytest.approx([1, 1, 1])


def test_distance_from_a_gaussian_is_mahalanobis_s():
    measure = mahalanobis(fitted_gaussian(np.array([1.0, 2.0]), COVARIANCE))
    away = np.array([3.0, -1.0])
    assert sigmas(measure, away[None] + [1, 2])[0] == pytest.approx(np.sqrt(away @ np.linalg.inv(COVARIANCE) @ away))
    assert measure.spread == pytest.approx([2, 1])


def test_where_nothing_varies_a_small_step_is_far():
    measure = mahalanobis(fitted_gaussian(np.zeros(2), np.diag([4.0, 0.0])))
    assert measure.rank == 1
    assert sigmas(measure, np.array([[2.0, 0.0]])) == pytest.approx([1])
    assert sigmas(measure, np.array([[0.0, 0.2]])) == pytest.approx([100])


@pytest.mark.parametrize(("dim", "quantile"), [(1, 6.635), (2, 9.210), (8, 20.090), (20, 37.566)])  # of chi-squared
def test_the_radius_holds_its_share_of_the_draws(dim, quantile):
    measure = mahalanobis(standard_normal(dim))
    assert measure.radius(0.99) == pytest.approx(quantile**0.5, rel=0.01)
    draws = sample(standard_normal(dim), draw_noise(20_000, dim, seed=0))
    assert (sigmas(measure, draws) < measure.radius(0.99)).mean() == pytest.approx(0.99, abs=0.004)


def test_of_a_dead_model_every_step_is_far():
    measure = mahalanobis(fitted_gaussian(np.zeros(3), np.zeros((3, 3))))
    assert measure.rank == 1
    assert measure.radius(0.99) == pytest.approx(2.58, rel=0.01)
    assert sigmas(measure, np.array([[0.0, 0, 0], [0, 1, 0]])).tolist() == [0, 1000]


def test_a_mixture_has_no_such_distance():
    with pytest.raises(ValueError, match="mixture of 2"):
        mahalanobis(Prior(np.array([0.5, 0.5]), np.zeros((2, 1)), np.ones((2, 1, 1))))


def test_the_shadow_of_a_gaussian_is_where_its_draws_fall():
    deviations = np.array([2.0, 0.5, 1.0])
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 2)))[0].T
    plane = Plane(np.array([5.0, 1.0, 0.0]), axes)
    mean = np.array([1.0, -1.0, 3.0])
    ring = shadow(mean, deviations, plane, radius=2.0)
    assert ring.mean(0) == pytest.approx(plane.coordinates(mean[None])[0])
    draws = plane.coordinates(mean + deviations * np.random.default_rng(2).standard_normal((100_000, 3)))
    inverse = np.linalg.inv(np.cov(draws.T))
    away = ring - ring.mean(0)
    assert np.einsum("ni,ij,nj->n", away, inverse, away) == pytest.approx(np.full(len(ring), 4), rel=0.03)
    assert np.ptp(shadow(mean, np.zeros(3), plane, 2.0), axis=0) == pytest.approx([0, 0])  # no spread, no ring


def test_the_outline_lies_at_the_radius_and_on_the_plane():
    generator = np.random.default_rng(0)
    spread = generator.normal(size=(5, 5))
    measure = mahalanobis(fitted_gaussian(generator.normal(size=5), spread @ spread.T))
    axes = np.linalg.qr(generator.normal(size=(5, 2)))[0].T
    plane = Plane(measure.mean + 0.1 * generator.normal(size=5), axes)
    edge = outline(measure, plane, radius=3.0)
    assert edge is not None
    assert sigmas(measure, plane.codes(edge)) == pytest.approx(np.full(len(edge), 3))


def test_of_the_standard_normal_the_outline_is_a_circle():
    plane = Plane(np.array([0.0, 0.0, 3.0]), np.eye(2, 3))
    edge = outline(mahalanobis(standard_normal(3)), plane, radius=5.0)
    assert edge is not None
    assert np.linalg.norm(edge, axis=1) == pytest.approx(np.full(len(edge), 4))


def test_a_plane_too_far_out_has_no_outline():
    assert outline(mahalanobis(standard_normal(3)), Plane(np.array([0.0, 0.0, 6.0]), np.eye(2, 3)), radius=5.0) is None


def test_one_dimension_has_an_outline_of_no_height():
    edge = outline(mahalanobis(standard_normal(1)), Plane(np.zeros(1), np.eye(2, 1)), radius=3.0)
    assert edge is not None
    assert np.abs(edge[:, 0]).max() == pytest.approx(3)
    assert edge[:, 1] == pytest.approx(np.zeros(len(edge)))


def test_the_nearest_codes_come_in_order():
    codes = np.array([[5.0], [1.0], [-2.0], [0.5], [9.0]])
    assert nearest_codes(codes, np.zeros(1), 3).tolist() == [3, 1, 2]
    assert nearest_codes(codes, np.array([9.0]), 99).tolist() == [4, 0, 1, 3, 2]


def test_the_typical_code_is_nearest_to_its_digit_s_mean():
    codes = np.array([[0.0], [10.0], [4.0], [100.0]])
    labels = np.array([1, 1, 1, 2], np.uint8)
    assert typical_code(codes, labels, 1) == 2
    assert typical_code(codes, labels, 2) == 3
    with pytest.raises(ValueError, match="no test image shows a 7"):
        typical_code(codes, labels, 7)


def test_activity_is_the_codes_standard_deviation():
    assert code_spread(np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)) == pytest.approx([1, 0])
