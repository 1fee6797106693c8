"""Choosing where torch runs: CUDA where there is a usable GPU, the CPU otherwise."""

import os
import warnings
from collections.abc import Sequence

import torch

from autoencoder.driver import compute_capability, why_no_gpu, why_no_work
from autoencoder.errors import ForeseenError


def select_device(name: str = "auto") -> tuple[torch.device, str]:
    """The device for a name as in the environment variable DEVICE, and why it is not a GPU ("" where that was chosen).

    Args:
        name: `auto`, a GPU where one can be used; `cpu`; `cuda`; `cuda:<index>`.

    Raises:
        ForeseenError: the name is none of these, or names a GPU that cannot be used.
    """
    # torch warns of a driver that does not work, even where it is to use the CPU: the reason returned says it better
    warnings.filterwarnings("ignore", "CUDA initialization")
    name = name.strip().lower() or "auto"
    if name == "cpu":
        return torch.device("cpu"), ""
    kind, _, number = name.partition(":")
    if name not in ("auto", "cuda") and (kind != "cuda" or not number.isdecimal()):
        raise ForeseenError(f"DEVICE={name}: expected auto, cpu, cuda or cuda:<index>")
    index = int(number or 0)
    reason = _why_torch_cannot(index)
    if not reason:
        return torch.device("cuda", index), ""
    if name != "auto":
        raise ForeseenError(f"DEVICE={name}: {reason}; DEVICE=cpu works without a GPU")
    return torch.device("cpu"), reason


def _why_torch_cannot(index: int) -> str:
    """What torch lacks to use this GPU; "" where it can."""
    capability = compute_capability(index)
    if capability and not _has_kernels(capability, torch.cuda.get_arch_list()):
        return f"this torch has no kernels for a GPU of compute capability {capability[0]}.{capability[1]}"
    if torch.cuda.is_available() and index < torch.cuda.device_count():
        return ""
    if torch.version.cuda is None:
        return "this torch is built without CUDA"
    return why_no_gpu(torch.version.cuda, "torch", index) or why_no_work(index) or "torch does not find the GPU"


def _has_kernels(capability: tuple[int, int], built_for: Sequence[str]) -> bool:
    """Whether a library built for these architectures runs on a GPU of this compute capability.

    Kernels (`sm_86`) run on GPUs of their major version that are not older, those of an exact kind (`sm_90a`) on that
    alone, PTX (`compute_120`) on all that are not older; built for none, it cannot be told.
    """
    for architecture in built_for:
        kind, _, version = architecture.partition("_")
        built = divmod(int(version.rstrip("af")), 10)
        if version.endswith("a"):
            fits = built == capability
        elif kind == "sm":
            fits = built[0] == capability[0] and built <= capability
        else:
            fits = built <= capability
        if fits:
            return True
    return not built_for


def describe_device(device: torch.device) -> str:
    """The device in words, for logs: `cpu (2 threads)` or `cuda:0 (NVIDIA H100 80GB HBM3)`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({torch.get_num_threads()} threads)"


def configure(device: torch.device, tf32: bool) -> None:
    """Make torch compute the same bits every time on the same machine, and fast; call it before torch's first work.

    Args:
        device: where the work will be done; a GPU with its index.
        tf32: whether a GPU may multiply in TensorFloat-32 (10 bits of mantissa), as training does: it is faster and
            ends at the same loss. What is measured of a trained model is computed in full single precision.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to be deterministic
    torch.set_deterministic_debug_mode("error")  # as use_deterministic_algorithms, which imports torch's compiler: 2 s
    # On by default in that mode, and one more kernel for every tensor; nothing here reads memory before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Moments of weights that get no gradient decay into numbers below 1e-38, with which a CPU takes 200 times as long.
    # Threads inherit the setting when they are started, with the first work.
    torch.set_flush_denormal(True)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # streams and graphs are made on the current one
        # not by the newer `fp32_precision`, after which torch's own exporter and compiler refuse to read these settings
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
