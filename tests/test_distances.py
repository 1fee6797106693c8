import numpy as np
import pytest

from autoencoder.distances import coverage, frechet_distance, mmd

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((500, 4))


def with_moments(points: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Points whose sample mean and (diagonal) covariance are exactly these."""
    centred = points - points.mean(0)
    whitened = centred @ np.linalg.inv(np.linalg.cholesky(np.cov(centred, rowvar=False)).T)
    return whitened * scale + mean


def test_frechet_distance_of_a_set_with_itself_is_0():
    assert frechet_distance(POINTS, POINTS) == pytest.approx(0, abs=1e-10)


def test_frechet_distance_of_gaussians_is_the_closed_form():
    mean, a, b = np.array([3.0, 0, 0, -4.0]), np.array([1.0, 2.0, 3.0, 0.5]), np.array([2.0, 2.0, 0.0, 1.5])
    found = frechet_distance(with_moments(POINTS, np.zeros(4), a), with_moments(POINTS, mean, b))
    assert found == pytest.approx(25 + np.square(a - b).sum(), rel=1e-9)


def test_frechet_distance_is_invariant_under_rotation_and_symmetric():
    other = POINTS[:, ::-1] * [1.0, 2.0, 3.0, 4.0] + 1
    rotation = np.linalg.qr(RNG.standard_normal((4, 4)))[0]
    expected = frechet_distance(POINTS, other)
    assert frechet_distance(other, POINTS) == pytest.approx(expected)
    assert frechet_distance(POINTS @ rotation, other @ rotation) == pytest.approx(expected)


def test_frechet_distance_in_one_dimension():
    assert frechet_distance(np.array([[0.0], [2.0]]), np.array([[10.0], [12.0]])) == pytest.approx(100)


@pytest.mark.parametrize(("shift", "expected"), [(0.0, 1.0), (100.0, 0.0)])
def test_coverage_of_the_same_and_of_far_points(shift, expected):
    assert coverage(POINTS, POINTS + shift, neighbors=5) == expected


def test_coverage_counts_the_modes_that_are_hit():
    real = np.concatenate([POINTS, POINTS + 100])
    assert coverage(real, POINTS, neighbors=5) == 0.5


def test_coverage_by_hand():
    real = np.array([[0.0], [1.0], [3.0], [7.0]])  # distances to the nearest other: 1, 1, 2, 4
    assert coverage(real, np.array([[1.9], [11.0]]), neighbors=1) == pytest.approx(3 / 4)  # all but 0


def test_coverage_by_hand_of_the_second_nearest():
    real = np.array([[0.0], [1.0], [3.0], [7.0]])  # distances to the second nearest other: 3, 2, 3, 6
    assert coverage(real, np.array([[-2.5], [9.1]]), neighbors=2) == pytest.approx(2 / 4)  # 0 and 7


def test_coverage_needs_more_points_than_neighbours():
    with pytest.raises(ValueError, match="needs more than 5 real points"):
        coverage(POINTS[:5], POINTS, neighbors=5)


def test_mmd_scatters_around_0_for_one_law():
    found = [mmd(*np.random.default_rng(seed).standard_normal((2, 300, 4))) for seed in range(20)]
    assert abs(np.mean(found)) < 0.005
    assert min(found) < 0 < max(found)


def test_mmd_grows_with_the_distance():
    other = RNG.standard_normal((500, 4))
    found = [mmd(POINTS, other + shift) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert found == sorted(found)
    assert found[-1] > 0.5


@pytest.mark.parametrize("dim", [1, 3])
def test_mmd_by_hand(dim):
    a, b = (np.pad(points, ((0, 0), (0, dim - 1))) for points in (np.array([[0.0], [1.0]]), np.array([[2.0], [4.0]])))
    scales = np.array([0.1, 0.2, 0.5, 1, 2, 5, 10]) * 2 * dim

    def kernel(distance: float) -> float:
        return (scales / (scales + distance**2)).sum()

    across = np.mean([kernel(2), kernel(4), kernel(1), kernel(3)])
    assert mmd(a, b) == pytest.approx(kernel(1) + kernel(2) - 2 * across)
