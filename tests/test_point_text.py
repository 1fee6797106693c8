"""point_text.py: what is typed or linked becomes a point, or one sentence that says why not."""

import numpy as np
import pytest

from autoencoder.point_text import read_point, write_point


@pytest.mark.parametrize("text", ["1,-2.5,0.001", "1, -2.5, 1e-3", " 1 -2.5 .001 "])
def test_a_point_is_read_from_text(text):
    assert read_point(text, 3) == pytest.approx([1, -2.5, 0.001])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2", "has 3 numbers, not 2"),
        ("1,2,three", "numbers with commas"),
        ("1,2,nan", "finite numbers"),
        ("1,2,1e9", "finite numbers"),
    ],
)
def test_what_is_no_point_is_said(text, problem):
    with pytest.raises(ValueError, match=problem):
        read_point(text, 3)


def test_a_written_point_is_short_and_comes_back():
    point = np.random.default_rng(0).normal(size=20) * 10
    text = write_point(point)
    assert len(text) < 20 * 8
    assert read_point(text, 20) == pytest.approx(point, rel=1e-3)
    assert write_point(read_point(text, 20)) == text
    assert write_point(np.array([-0.0, 0.0])) == "0,0"
