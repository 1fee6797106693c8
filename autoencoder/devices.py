"""Choosing where torch runs: CUDA where there is a usable GPU, the CPU otherwise."""

import os

import torch


def select_device(name: str = "auto") -> torch.device:
    """The device for a name as in the environment variable DEVICE: `auto`, `cpu`, `cuda` or `cuda:<index>`.

    Raises:
        ValueError: the name is none of these, or names a GPU that cannot be used.
    """
    name = name.strip().lower() or "auto"
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if kind != "cuda" or not (index.isdecimal() or name == "cuda"):
        raise ValueError(f"DEVICE={name}: expected auto, cpu, cuda or cuda:<index>")
    count = torch.cuda.device_count()
    if not torch.cuda.is_available() or int(index or 0) >= count:
        raise ValueError(f"DEVICE={name}: torch sees {count} usable GPU(s); set DEVICE=cpu, or check `nvidia-smi`")
    return torch.device("cuda", int(index or 0))


def describe_device(device: torch.device) -> str:
    """The device in words, for logs: `cpu (2 threads)` or `cuda:0 (NVIDIA H100 80GB HBM3)`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({torch.get_num_threads()} threads)"


def configure(device: torch.device, tf32: bool) -> None:
    """Make torch compute the same bits every time on the same machine, and fast; call it before torch's first work.

    Args:
        device: where the work will be done.
        tf32: whether a GPU may multiply in TensorFloat-32 (10 bits of mantissa), as training does: it is faster and
            ends at the same loss. Measuring uses full single precision.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to be deterministic
    torch.use_deterministic_algorithms(True)
    # On by default in that mode, and one more kernel for every tensor; nothing here reads memory before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Moments of weights that get no gradient decay into numbers below 1e-38, with which a CPU takes 200 times as long.
    # Threads inherit the setting when they are started, with the first work.
    torch.set_flush_denormal(True)
    if device.type == "cuda":
        precision = "tf32" if tf32 else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]
