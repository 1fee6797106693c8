"""NVIDIA drivers that are not there: one in Python for ctypes, one in C for libraries that load the real thing."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).with_name("libcuda.c")


class FakeDriver:
    """libcuda as ctypes shows it: how it starts, what it supports and sees, whether work can begin."""

    def __init__(self, start: int = 0, version: int = 13000, devices: int = 1, work: int = 0) -> None:
        self.start, self.version, self.devices, self.work = start, version, devices, work

    def cuInit(self, flags: int) -> int:  # noqa: N802, ARG002 - the driver's own signature
        return self.start

    def cuDriverGetVersion(self, value: Any) -> None:  # noqa: N802
        value._obj.value = self.version

    def cuDeviceGetCount(self, value: Any) -> None:  # noqa: N802
        value._obj.value = self.devices

    def cuDevicePrimaryCtxRetain(self, context: Any, device: int) -> int:  # noqa: N802, ARG002
        return self.work

    def cuDevicePrimaryCtxRelease_v2(self, device: int) -> None:  # noqa: N802, ARG002
        assert self.work == 0, "released what was never retained"

    def cuGetErrorString(self, code: int, words: Any) -> None:  # noqa: N802
        words._obj.value = {2: b"out of memory", 803: b"system has unsupported display driver"}.get(code)


def pretend(monkeypatch: pytest.MonkeyPatch, fake: FakeDriver | None) -> None:
    """Make ctypes find this driver; None for a machine without one."""

    def load(name: str) -> FakeDriver:
        if fake is None:
            raise OSError(name)
        return fake

    monkeypatch.setattr(ctypes, "CDLL", load)


def build_driver(folder: Path) -> dict[str, str]:
    """Compile the driver in C; gives the environment in which a process loads it in the place of the real one."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    command = [compiler, "-shared", "-fPIC", "-o", folder / "libcuda.so.1", SOURCE]
    subprocess.run(command, capture_output=True, check=True)
    return {**os.environ, "LD_LIBRARY_PATH": str(folder), "CUDA_VISIBLE_DEVICES": "0"}


def build_full_gpu(folder: Path) -> dict[str, str]:
    """The driver in C, and CUDA's runtime with it: torch finds a GPU, on which nothing can begin."""
    return {**build_driver(folder), "LD_PRELOAD": str(folder / "libcuda.so.1")}
