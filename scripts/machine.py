"""What a figure was measured on: hardware and versions."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import onnxruntime
import torch


def environment(device: torch.device) -> dict[str, str | int]:
    """Names of the processor, of the instructions that torch uses on it, of a GPU, and of the packages that compute."""
    names: dict[str, str | int] = {
        "cpu": _cpu_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),  # processors of one name can differ in them
        "cpu_cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    if device.type == "cuda":
        names["gpu"] = torch.cuda.get_device_name(device)
        names["driver"] = _driver_version()
        names["cuda"] = str(torch.version.cuda)
    return names


def in_words(machine: Mapping[str, str | int]) -> str:
    """The parts of an environment that affect results: GPU, or processor and instructions; and torch's version."""
    parts = [machine["cpu"], f"{machine['cpu_cores']} cores", machine.get("instructions")]
    if "gpu" in machine:
        parts = [machine["gpu"]]
    return ", ".join(str(part) for part in [*parts, f"torch {machine['torch']}"] if part)


def _driver_version() -> str:
    """Of the GPU, where the program that tells it is there: some containers lack it."""
    if not shutil.which("nvidia-smi"):
        return "unknown"
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    said = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split()
    return said[0] if said else "unknown"  # a line for every GPU


def _cpu_name() -> str:
    if (about := Path("/proc/cpuinfo")).exists():
        for line in about.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
