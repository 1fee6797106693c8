"""Some examples that stand for all: spread over them, or in an order drawn by chance."""

import numpy as np
from jaxtyping import Int


def evenly_spread(count: int, total: int) -> Int[np.ndarray, " some"]:
    """Indices of `count` of `total` examples, at equal distances; all of them where there are no more.

    MNIST's test images are not shuffled, and its halves differ.
    """
    count = min(count, total)
    return np.arange(count) * total // count


def shuffled(indices: Int[np.ndarray, " n"], draw: int) -> Int[np.ndarray, " n"]:
    """In another order for every draw, the same for the same."""
    return np.random.default_rng(draw).permutation(indices)
