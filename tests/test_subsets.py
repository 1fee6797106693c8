"""subsets.py: which examples stand for all."""

import numpy as np
import pytest

from autoencoder.subsets import evenly_spread, shuffled


@pytest.mark.parametrize(
    ("count", "total", "chosen"),
    [(3, 10, [0, 3, 6]), (4, 10, [0, 2, 5, 7]), (1, 7, [0]), (4, 4, [0, 1, 2, 3]), (9, 3, [0, 1, 2])],
)
def test_examples_that_stand_for_all_are_evenly_spread(count, total, chosen):
    assert evenly_spread(count, total).tolist() == chosen


def test_every_draw_has_an_order_of_its_own():
    indices = np.arange(10, 60)
    first, again, second = shuffled(indices, 0), shuffled(indices, 0), shuffled(indices, 1)
    assert first.tolist() == again.tolist() != second.tolist()
    assert sorted(first) == sorted(second) == indices.tolist()
