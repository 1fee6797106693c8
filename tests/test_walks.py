"""Walks hit their codes, keep an even pace, and become a GIF that plays there and back for ever."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from autoencoder.walks import PATHS, choose_stops, encode_gif, flips, linear, spherical, walk

QUARTERS = np.array([0, 0.25, 0.5, 0.75])


def test_a_straight_line_has_equal_steps():
    points = linear(np.array([0.0, 2.0]), np.array([4.0, 0.0]), QUARTERS)
    np.testing.assert_array_equal(points, [[0, 2], [1, 1.5], [2, 1], [3, 0.5]])


def test_an_arc_between_unit_codes_stays_on_the_unit_circle():
    points = spherical(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0, 1 / 3, 1 / 2, 1]))
    np.testing.assert_allclose(points, [[1, 0], [3**0.5 / 2, 0.5], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-12)


def test_on_an_arc_angle_and_length_change_evenly():
    points = spherical(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 3.0]), QUARTERS)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), [1, 1.5, 2, 2.5])
    np.testing.assert_allclose(np.degrees(np.arctan2(points[:, 2], points[:, 0])), [0, 22.5, 45, 67.5])


@pytest.mark.parametrize("end", [[2.0, 4.0], [-3.0, -6.0], [0.0, 0.0]], ids=["same way", "opposite", "origin"])
def test_where_no_single_arc_exists_the_way_is_straight(end):
    start, end = np.array([1.0, 2.0]), np.array(end)
    np.testing.assert_array_equal(spherical(start, end, QUARTERS), linear(start, end, QUARTERS))


@pytest.mark.parametrize("path", PATHS)
def test_a_walk_stops_at_every_code(path):
    codes = np.random.default_rng(0).normal(size=(4, 20)).astype(np.float32)
    way = walk(codes, 5, path)
    assert way.shape == (16, 20)
    assert way.dtype == np.float32
    np.testing.assert_allclose(way[::5], codes, rtol=1e-6)
    np.testing.assert_allclose(walk(codes[:2], 5, path), way[:6], rtol=1e-6)


def test_the_two_paths_differ():
    codes = np.random.default_rng(0).normal(size=(2, 20))
    middles = [np.linalg.norm(walk(codes, 2, path)[1]) for path in ("linear", "spherical")]
    assert middles[1] == pytest.approx(np.linalg.norm(codes, axis=1).mean())
    assert middles[0] < 0.9 * middles[1]


@pytest.mark.parametrize(("count", "steps", "path"), [(1, 5, "linear"), (2, 0, "linear"), (2, 5, "cubic")])
def test_impossible_walks_are_refused(count, steps, path):
    with pytest.raises(ValueError, match=f"cannot walk through {count} codes in {steps} steps along '{path}'"):
        walk(np.ones((count, 3)), steps, path)


@pytest.mark.parametrize(
    ("values", "expected"), [([3, 3, 8, 8, 3], [2, 4]), ([5, 5], []), ([1], []), ([True, False], [1])]
)
def test_flips_are_where_a_value_differs_from_the_one_before(values, expected):
    assert flips(np.array(values)).tolist() == expected


def test_stops_are_images_of_the_digits_and_no_image_twice():
    labels = np.array([7, 4, 4, 7, 4, 1], np.uint8)
    stops = choose_stops(labels, [4, 7, 4, 4, 7], draw=3)
    assert labels[stops].tolist() == [4, 7, 4, 4, 7]
    assert len(set(stops.tolist())) == 5
    np.testing.assert_array_equal(stops[[0, 2, 3]], np.random.default_rng(3).permutation([1, 2, 4]))


def test_another_draw_gives_other_stops():
    labels = np.zeros(1000, np.uint8)
    draws = {tuple(choose_stops(labels, [0, 0], draw)) for draw in range(20)}
    assert len(draws) == 20
    np.testing.assert_array_equal(choose_stops(labels, [0, 0], 5), choose_stops(labels, [0, 0], 5))


@pytest.mark.parametrize(("digits", "problem"), [([1, 1], "1 test images of 1"), ([4, 9], "0 test images of 9")])
def test_too_few_images_of_a_digit_are_named(digits, problem):
    with pytest.raises(ValueError, match=f"{problem}, fewer than the walk has"):
        choose_stops(np.array([4, 4, 1], np.uint8), digits, 0)


def played(gif: bytes) -> tuple[list[np.ndarray], list[int]]:
    shown = ImageSequence.all_frames(Image.open(io.BytesIO(gif)))
    return [np.asarray(frame.convert("L")) for frame in shown], [frame.info["duration"] for frame in shown]


def test_a_gif_plays_there_and_back_for_ever():
    levels = np.array([0, 85, 170, 255], np.uint8)
    gif = encode_gif(np.broadcast_to(levels[:, None, None], (4, 6, 8)), [300, 20, 60, 400])
    frames, durations = played(gif)
    assert [frame.shape for frame in frames] == [(6, 8)] * 6
    assert [int(frame[3, 3]) for frame in frames] == [0, 85, 170, 255, 170, 85]
    assert durations == [300, 20, 60, 400, 60, 20]
    assert Image.open(io.BytesIO(gif)).info["loop"] == 0


def test_a_gif_keeps_pictures_to_half_a_grey_level_and_is_the_same_again():
    frames = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    gif = encode_gif(frames, [100] * 5)
    assert gif == encode_gif(frames.copy(), [100] * 5)
    shown, _ = played(gif)
    assert np.abs(np.stack(shown[:5]) - frames.astype(int)).max() <= 255 / 15 / 2


@pytest.mark.parametrize(("count", "milliseconds"), [(0, []), (2, [100]), (2, [100, 10])])
def test_impossible_gifs_are_refused(count, milliseconds):
    with pytest.raises(ValueError, match=f"cannot animate {count} frames"):
        encode_gif(np.zeros((count, 4, 4), np.uint8), milliseconds)
