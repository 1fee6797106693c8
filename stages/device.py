"""Where a stage computes: what the environment variable DEVICE asks for."""

import os

import torch

from autoencoder.devices import configure, select_device


def choose_device(tf32: bool) -> torch.device:
    """The device, configured; where no GPU can be used though one would have been, a line says why.

    Raises:
        ForeseenError: DEVICE is no device, or one that cannot be used.
    """
    device, why_not_cuda = select_device(os.environ.get("DEVICE", "auto"))
    if why_not_cuda:
        print(f"on the CPU: {why_not_cuda}", flush=True)
    if device.type == "cpu":
        device = use_cpu()
    configure(device, tf32)
    return device


def use_cpu() -> torch.device:
    """The CPU, and no GPU in sight; call it before torch's first work.

    torch's optimizers and its exporter turn to a GPU even where all tensors are on the CPU, and fail with it.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    return torch.device("cpu")
