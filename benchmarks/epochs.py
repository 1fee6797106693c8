"""Time per epoch of every kind of network: ours, a plain DataLoader loop, pythae's trainer, and the arithmetic alone.

One warm-up epoch each, then the contestants take turns. pythae (Chadebec et al. 2022) runs in a virtual environment of
its own, with the same torch and the very same layers.
"""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from autoencoder.data import Split
from autoencoder.recipe import TRAIN_PARAMS, PCATraining
from autoencoder.training import Training
from benchmarks.plain_epochs import network, plain_loss
from benchmarks.timing import matmul_peak, spread

REPEATS = 5
PYTHAE_VENV = Path(".bench/pythae")
PYTHAE_PYTHON = PYTHAE_VENV / "bin" / "python"
IMAGES = {"mlp": 12_800, "conv": 2_560}  # whole batches; an epoch of the smaller half says as much as one of 50,000
_MLP: dict[str, Any] = {"network": {"type": "mlp", "hidden": [512, 512]}, "latent_dim": 20}
_CONV: dict[str, Any] = {
    "network": {"type": "conv", "channels": [32, 64], "blocks": 0, "hidden": [256]},
    "latent_dim": 20,
}
_AE: dict[str, Any] = {
    "kind": "ae",
    "likelihood": "bernoulli",
    "binarize": "none",
    "optimizer": "adamw",
    "batch_size": 256,
    "learning_rate": 2e-3,
    "learning_rate_warmup": 0.1,
    "weight_decay": 0.01,
    "grad_clip": 5.0,
}
_VAE: dict[str, Any] = {**_AE, "kind": "vae", "beta": 1.0, "kl_warmup": 0.1, "importance_samples": 1}
NETWORKS: dict[str, dict[str, Any]] = {
    "article AE, batch 32": {"kind": "ae_article", "batch_size": 32, "learning_rate": 1e-3},
    "article AE, batch 256": {"kind": "ae_article", "batch_size": 256, "learning_rate": 1e-3},
    "article VAE, batch 256": {"kind": "vae_article", "batch_size": 256, "learning_rate": 1e-3},
    "MLP AE": _AE | _MLP,
    "MLP VAE": _VAE | _MLP,
    "conv AE": _AE | _CONV,
    "conv VAE": _VAE | _CONV,
}


def time_per_epoch(train: Split) -> dict[str, Any]:
    """Seconds per epoch of 50,000 images, of every network and contestant."""
    _install_pythae()
    peak = matmul_peak()
    report: dict[str, Any] = {"peak_gflops": peak / 1e9, "images": IMAGES}
    report["networks"] = {"mlp": _MLP["network"], "conv": _CONV["network"]}
    for name, params in NETWORKS.items():
        split = train.head(IMAGES["conv" if params.get("network", {}).get("type") == "conv" else "mlp"])
        scale = 50_000 / len(split)
        loops = {
            "ours": _ours(params, split),
            "plain": _other("benchmarks.plain_epochs", Path(sys.executable), params, split),
            "pythae": _other("benchmarks.pythae_epochs", PYTHAE_PYTHON, params, split),
        }
        for loop in loops.values():
            next(loop)
        seconds: dict[str, list[float]] = {contestant: [] for contestant in loops}
        for _ in range(REPEATS):
            for contestant, loop in loops.items():
                seconds[contestant].append(next(loop) * scale)
        for loop in loops.values():
            loop.close()
        floor = flops_per_image(params) * 50_000 / peak
        row: dict[str, Any] = {contestant: spread(found) for contestant, found in seconds.items()}
        ours = row["ours"]["median"]
        report[name] = {
            **row,
            "floor": floor,
            "times_floor": ours / floor,
            "plain_over_ours": row["plain"]["median"] / ours,
            "pythae_over_ours": row["pythae"]["median"] / ours,
        }
        print(f"  {name}: " + ", ".join(f"{key} {value['median']:.2f} s" for key, value in row.items()), flush=True)
    return report


def flops_per_image(params: dict[str, Any]) -> float:
    """Floating point operations of one training step in matrix products and convolutions, per image."""
    model = network(params).to("meta")
    image = torch.rand(8, 1, 28, 28, device="meta")
    with FlopCounterMode(display=False) as counter:
        plain_loss(model, image).backward()
    return counter.get_total_flops() / len(image)


def _ours(params: dict[str, Any], split: Split) -> Generator[float]:
    checked = TRAIN_PARAMS.validate_python({**params, "epochs": REPEATS + 1})
    assert not isinstance(checked, PCATraining)
    for metrics in Training(network(params), checked, split, split.head(256), seed=0).epochs():
        yield len(split) / metrics.images_per_second


def _other(module: str, python: Path, params: dict[str, Any], split: Split) -> Generator[float]:
    """Another loop in a process of its own, where torch is as it comes: one line in, one epoch, its seconds out."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/images.npy", split.images.numpy())
        command, pipe, log = [str(python), "-m", module, repr(params), folder], subprocess.PIPE, Path(folder) / "log"
        with (
            log.open("w") as errors,
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True) as process,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                while True:
                    process.stdin.write("epoch\n")
                    process.stdin.flush()
                    while not (line := process.stdout.readline()).startswith("seconds "):
                        if not line:
                            raise RuntimeError(f"{module} ended early: {log.read_text()[-500:]}")
                    yield float(line.split()[1])
            finally:
                process.kill()


def _install_pythae() -> None:
    """Pythae asks for versions of its own, so it gets an environment of its own, once."""
    done = PYTHAE_VENV / "installed"
    if done.exists():
        return
    print(f"installing pythae into {PYTHAE_VENV} (once; another 6 GB on Linux)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", PYTHAE_VENV], check=True)
    install = [str(PYTHAE_PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", "constraints.txt", "pythae==0.1.2", "jaxtyping", "ruamel.yaml"], check=True)
    done.touch()
