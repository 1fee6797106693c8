"""What timings share: waiting for a GPU, medians of repeats, and what the machine could do at best."""

import statistics
import time
from collections.abc import Sequence

import torch

MATRIX = 2048  # rows and columns: large enough to be limited by arithmetic alone


def matmul_peak() -> float:
    """Floating point operations a second in a large single-precision matrix product, the best of many."""
    a, b = torch.randn(2, MATRIX, MATRIX)
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        torch.mm(a, b)
        seconds.append(time.perf_counter() - started)
    return 2 * MATRIX**3 / min(seconds)


def wait_for(device: torch.device) -> None:
    """Wait for the work that a GPU has still to do; a CPU has none."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds)}
