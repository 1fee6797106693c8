"""The NVIDIA driver, asked without torch or onnxruntime: why it gives no GPU."""

import ctypes
import subprocess
import sys
from functools import cache
from typing import Any

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
CAPABILITY = (75, 76)  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR


def why_no_gpu(needs: str, by: str, index: int = 0) -> str | None:
    """None where a driver answers that is new enough and shows the device, otherwise what is missing.

    Args:
        needs: the CUDA version that the library needs (`13.0`); a driver serves all of that major version.
        by: the library.
        index: of the device among the visible ones.
    """
    try:
        driver = ctypes.CDLL(LIBRARY)
    except OSError:
        return "no NVIDIA driver on this machine"
    value = ctypes.c_int()
    if code := driver.cuInit(0):
        return (
            "no visible CUDA device" if code == NO_DEVICE else f"the NVIDIA driver does not start: {_say(driver, code)}"
        )
    driver.cuDriverGetVersion(ctypes.byref(value))
    if value.value // 1000 < int(needs.split(".")[0]):
        version = f"{value.value // 1000}.{value.value % 1000 // 10}"
        return f"the NVIDIA driver supports CUDA {version}, {by} needs {needs}: update the driver"
    driver.cuDeviceGetCount(ctypes.byref(value))
    if value.value <= index:
        return f"there is no CUDA device {index} among {value.value} visible"
    return None


def why_no_work(index: int = 0) -> str | None:
    """None where work could begin on a device that `why_no_gpu` finds, otherwise what the driver says of it."""
    driver, context = ctypes.CDLL(LIBRARY), ctypes.c_void_p()
    if code := driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), index):
        return f"the GPU does not start: {_say(driver, code)}"
    driver.cuDevicePrimaryCtxRelease_v2(index)
    return None


@cache
def compute_capability(index: int = 0) -> tuple[int, int] | None:
    """Which instructions a device understands, (9, 0) for Hopper; None where the driver does not say.

    A process of its own asks: a driver reads CUDA_VISIBLE_DEVICES when it starts, and the caller may want to hide the
    device after the answer. It is asked once: on some machines a driver takes seconds to start.
    """
    asked = subprocess.run([sys.executable, "-I", "-S", __file__, str(index)], capture_output=True, text=True)
    major, _, minor = asked.stdout.partition(".")
    return (int(major), int(minor)) if asked.returncode == 0 and minor else None


def _ask_capability(index: int) -> str:
    """`9.0` for Hopper, nothing where the driver does not say."""
    try:
        driver = ctypes.CDLL(LIBRARY)
    except OSError:
        return ""
    found = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or any(
        driver.cuDeviceGetAttribute(ctypes.byref(value), which, index)
        for value, which in zip(found, CAPABILITY, strict=True)
    ):
        return ""
    return f"{found[0].value}.{found[1].value}"


def _say(driver: Any, code: int) -> str:
    """An error code of the driver's in its own words."""
    words = ctypes.c_char_p()
    driver.cuGetErrorString(code, ctypes.byref(words))
    return f"{(words.value or b'CUDA error').decode()} ({code})"


if __name__ == "__main__":  # as `compute_capability` starts it
    sys.stdout.write(_ask_capability(int(sys.argv[1])))
