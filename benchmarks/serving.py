"""Decoding latents: onnxruntime as the viewer uses it, torch eager, and plain numpy, all on one core."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import erf, expit
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from autoencoder.checkpoints import load_checkpoint
from autoencoder.inference import open_session
from autoencoder.models import AE, PCA, VAE
from benchmarks.timing import matmul_peak, spread

BATCHES = (1, 64, 400, 10_000)
REPEATS = 15
Decode = Callable[[np.ndarray], np.ndarray]


def decoding(folder: Path) -> dict[str, Any]:
    """Milliseconds for batches of latents, in turns, of the exported MLP decoder in `folder` (as `models/vae`)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return _on_one_core(folder)
    finally:
        torch.set_num_threads(threads)


def _on_one_core(folder: Path) -> dict[str, Any]:
    peak = matmul_peak()
    model, _ = load_checkpoint(folder / "model.pt", torch.device("cpu"))
    assert not isinstance(model, PCA)
    session = open_session((folder / "onnx" / "decoder.onnx").read_bytes(), "cpu")
    decoders: dict[str, Decode] = {
        "onnxruntime": lambda latent: session.run({"latent": latent})["reconstruction"],
        "torch": lambda latent: _decode_with_torch(model, latent),
        "numpy": _numpy_decoder(model),
    }
    latents = np.random.default_rng(0).standard_normal((max(BATCHES), model.latent_dim)).astype(np.float32)
    expected = decoders["onnxruntime"](latents[:64])
    for decode in decoders.values():
        np.testing.assert_allclose(decode(latents[:64]), expected, atol=1e-5)
    with FlopCounterMode(display=False) as counter:
        _decode_with_torch(model, latents[:1])
    report: dict[str, Any] = {"model": folder.name, "peak_gflops": peak / 1e9, "milliseconds": {}}
    for batch in BATCHES:
        found: dict[str, list[float]] = {name: [] for name in decoders}
        for _ in range(REPEATS):
            for name, decode in decoders.items():
                found[name].append(_milliseconds(decode, latents[:batch]))
        floor = counter.get_total_flops() * batch / peak * 1e3
        row: dict[str, Any] = {name: spread(values) for name, values in found.items()}
        report["milliseconds"][str(batch)] = {**row, "floor": floor}
    return report


def _milliseconds(decode: Decode, latent: np.ndarray) -> float:
    """The mean of so many calls that they take some milliseconds, after one that is not counted."""
    decode(latent)
    calls = max(1, 2000 // len(latent))
    started = time.perf_counter()
    for _ in range(calls):
        decode(latent)
    return (time.perf_counter() - started) / calls * 1e3


@torch.inference_mode()
def _decode_with_torch(model: AE | VAE, latent: np.ndarray) -> np.ndarray:
    return model.decode(torch.from_numpy(latent)).numpy()


def _numpy_decoder(model: AE | VAE) -> Decode:
    """The MLP decoder's layers as matrix products."""
    trunk = model.decoder.trunk
    assert isinstance(trunk, nn.Sequential)
    layers = [
        (_array(layer.weight).T.copy(), 0.0 if layer.bias is None else _array(layer.bias))
        for layer in trunk
        if isinstance(layer, nn.Linear)
    ]
    bias = _array(model.decoder.pixel_bias)

    def decode(latent: np.ndarray) -> np.ndarray:
        values = latent
        for weight, offset in layers[:-1]:
            values = values @ weight + offset
            values = values * (0.5 * (1 + erf(values * np.float32(0.5**0.5))))  # GELU
        return expit((values @ layers[-1][0]).reshape(-1, 1, 28, 28) + bias)

    return decode


def _array(tensor: Any) -> np.ndarray:
    assert isinstance(tensor, Tensor)
    return tensor.detach().numpy()
