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


def make_deterministic() -> None:
    """Make torch compute the same bits every time on the same machine; call it before the first use of CUDA."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for it
    torch.use_deterministic_algorithms(True)
    # On by default in that mode, and one more kernel for every tensor; nothing here reads memory before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
