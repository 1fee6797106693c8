import numpy as np
import pytest

from autoencoder.planes import Plane
from autoencoder.sections import dimension_plane, offset, plane_of_three, through


def test_a_plane_of_two_dimensions_leaves_the_others_as_they_are():
    plane = dimension_plane(np.array([1.0, 2.0, 3.0, 4.0]), across=2, up=0)
    np.testing.assert_allclose(plane.codes(np.array([[7.0, 9.0]])), [[9, 2, 7, 4]])
    np.testing.assert_allclose(plane.coordinates(np.array([[5.0, 0.0, 6.0, 0.0]])), [[6, 5]])


def test_a_plane_has_two_different_dimensions():
    with pytest.raises(ValueError, match="dimension 1 cannot be both axes"):
        dimension_plane(np.zeros(3), 1, 1)


def test_a_plane_of_three_codes_holds_them_as_they_lie():
    codes = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    plane = plane_of_three(codes)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    places = plane.coordinates(codes)
    np.testing.assert_allclose(plane.codes(places), codes, atol=1e-6)
    np.testing.assert_allclose(places.mean(0), 0, atol=1e-6)
    sides = [np.linalg.norm(points[[0, 1, 2]] - points[[1, 2, 0]], axis=1) for points in (codes, places)]
    np.testing.assert_allclose(sides[0], sides[1], rtol=1e-6)
    assert places[0, 1] == pytest.approx(places[1, 1])  # the first two lie level, the third above them
    assert places[2, 1] > places[0, 1]


@pytest.mark.parametrize("third", [[2.0, 2.0], [0.0, 0.0], [1.0, 1.0]])
def test_three_codes_on_a_line_give_no_plane(third):
    with pytest.raises(ValueError, match="on a line"):
        plane_of_three(np.array([[0.0, 0.0], [1.0, 1.0], third]))


def test_the_same_code_twice_gives_no_plane():
    with pytest.raises(ValueError, match="on a line"):
        plane_of_three(np.array([[1.0, 1.0], [1.0, 1.0], [3.0, 4.0]]))


def test_the_plane_through_a_point_is_parallel_and_keeps_coordinates():
    generator = np.random.default_rng(0)
    plane = plane_of_three(generator.normal(size=(3, 6)))
    point, codes = generator.normal(size=6), generator.normal(size=(50, 6))
    moved = through(plane, point)
    np.testing.assert_array_equal(moved.axes, plane.axes)
    np.testing.assert_allclose(moved.coordinates(codes), plane.coordinates(codes), atol=1e-12)
    np.testing.assert_allclose(offset(moved, point), 0, atol=1e-12)
    np.testing.assert_allclose(moved.codes(moved.coordinates(point[None]))[0], point, atol=1e-12)


def test_the_offset_stands_at_right_angles_to_the_plane():
    plane = Plane(np.zeros(3), np.eye(2, 3))
    np.testing.assert_array_equal(offset(plane, np.array([4.0, 5.0, 6.0])), [0, 0, 6])
