from itertools import product

import numpy as np
import pytest

from autoencoder.planes import Frame, Plane, frame_of, principal_plane, quantile_grid, shares


def cloud(*spread: float) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2000, len(spread))) * spread + 5


def test_the_plane_of_two_dimensions_is_the_latent_space_itself():
    codes = cloud(3, 1)
    np.testing.assert_array_equal(principal_plane(codes).coordinates(codes), codes)


def test_one_dimension_becomes_a_line():
    codes = cloud(2)
    plane = principal_plane(codes)
    np.testing.assert_array_equal(plane.coordinates(codes), np.hstack([codes, np.zeros_like(codes)]))
    np.testing.assert_array_equal(plane.codes(np.array([[7.0, 99.0]])), [[7.0]])


def test_of_more_dimensions_it_keeps_the_two_that_vary_most():
    codes = cloud(0.1, 5, 0.2, 2, 0.1)
    plane = principal_plane(codes)
    np.testing.assert_allclose(plane.axes, np.eye(5)[[1, 3]], atol=0.02)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane.coordinates(codes).mean(0), 0, atol=1e-9)
    assert plane.coordinates(codes).std(0) == pytest.approx([5, 2], rel=0.05)


def test_the_largest_part_of_an_axis_points_up():
    for seed in range(8):
        codes = np.random.default_rng(seed).normal(size=(50, 4))
        axes = principal_plane(codes).axes
        assert (axes.max(1) == np.abs(axes).max(1)).all()


def test_the_shares_of_a_plane_are_of_the_variance_of_all_dimensions():
    codes = np.array([*product([-2, 2], [-1, 1], [-0.5, 0.5])])  # variances of 4, 1 and 1/4
    assert shares(principal_plane(codes), codes) == pytest.approx([4 / 5.25, 1 / 5.25])
    dead = np.ones((8, 3))
    assert shares(principal_plane(dead), dead).tolist() == [0, 0]


def test_points_of_the_plane_come_back():
    plane = principal_plane(cloud(1, 2, 3))
    points = np.array([[0.0, 0.0], [1.5, -2.0]])
    np.testing.assert_allclose(plane.coordinates(plane.codes(points)), points, atol=1e-12)
    np.testing.assert_allclose(plane.codes(points)[0], plane.origin)


def test_what_lies_off_the_plane_is_projected():
    plane = Plane(np.zeros(3), np.eye(2, 3))
    np.testing.assert_array_equal(plane.coordinates(np.array([[1.0, 2.0, 9.0]])), [[1.0, 2.0]])


def test_the_grid_cuts_the_normal_distribution_into_equal_shares():
    grid = quantile_grid(4).reshape(4, 4, 2)
    assert grid[0, 0] == pytest.approx([-1.1503494, 1.1503494])  # the quantile 1/8
    assert (np.diff(grid[:, :, 0], axis=1) > 0).all()
    assert (np.diff(grid[:, :, 1], axis=0) < 0).all()
    np.testing.assert_allclose(grid, -grid[::-1, ::-1], atol=1e-12)
    below = [(np.random.default_rng(0).normal(size=100_000) < level).mean() for level in quantile_grid(3)[:3, 0]]
    assert below == pytest.approx([1 / 6, 3 / 6, 5 / 6], abs=0.005)


def test_the_grid_of_a_frame_runs_from_edge_to_edge_from_the_top_left():
    grid = Frame(np.array([10.0, 20.0]), 2.0).grid(5).reshape(5, 5, 2)
    np.testing.assert_allclose(grid[0, 0], [8, 22])
    np.testing.assert_allclose(grid[0, -1], [12, 22])
    np.testing.assert_allclose(grid[-1, 0], [8, 18])
    np.testing.assert_allclose(grid[2, 2], [10, 20])


def test_the_frame_is_a_square_with_nearly_all_points_and_every_corner():
    points = np.random.default_rng(0).normal(size=(5000, 2)) * [3, 1]
    frame = frame_of(points)
    inside = (np.abs(points - frame.middle) < frame.reach).all(1).mean()
    assert 0.97 < inside < 1
    corner = np.array([[0.0, 40.0]])
    wider = frame_of(points, corner)
    assert (np.abs(corner - wider.middle) < wider.reach).all()
    assert wider.reach == pytest.approx(frame.reach * 3, rel=0.2)


def test_the_frame_leaves_out_a_percent_on_each_side_and_adds_a_margin():
    places = np.arange(101.0)
    frame = frame_of(np.stack([places, places**2 / 100], 1))
    assert frame.middle == pytest.approx([(1 + 99) / 2, (0.01 + 98.01) / 2])
    assert frame.reach == pytest.approx(49 * 1.05)


def test_points_on_one_spot_have_a_frame_too():
    assert frame_of(np.zeros((10, 2))).reach == 1
