"""What a benchmark runs on, what it could do at best, and how repeated figures are summed up."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import onnxruntime
import torch

MATRIX = 2048  # rows and columns: large enough to be limited by arithmetic alone


def environment(device: torch.device) -> dict[str, str | int]:
    """Hardware and versions."""
    names: dict[str, str | int] = {
        "cpu": _cpu_name(),
        "cpu_cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    if device.type == "cuda":
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        names["gpu"] = torch.cuda.get_device_name(device)
        names["driver"] = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
        names["cuda"] = str(torch.version.cuda)
    return names


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


def _cpu_name() -> str:
    if (about := Path("/proc/cpuinfo")).exists():
        for line in about.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
