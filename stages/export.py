"""Export one model: encoder and decoder as ONNX, checked against torch, and what a viewer needs beside them."""

import argparse
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxscript  # noqa: F401  # with torch._dynamo: what the exporter imports at its first use, which is start-up
import torch._dynamo  # noqa: F401

from autoencoder.checkpoints import load_checkpoint
from autoencoder.data import SplitParams, load_test_split, load_training_splits
from autoencoder.density import SEED, DensityParams, draw_codes, fit_gaussian, fit_mixture
from autoencoder.files import sha256
from autoencoder.images import to_unit_interval
from autoencoder.inference import SCHEMA_VERSION
from autoencoder.model_export import computed, export_model, parity
from autoencoder.onnx_export import ATOL, LATENT_RTOL, ExportParams, write_export
from autoencoder.priors import draw_noise
from stages.device import use_cpu
from stages.parameters import load_parameters
from stages.process import run, write_timings


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, export, verify, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a key of `models` in params.yaml")
    for name in ("data", "checkpoint", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    parameters = load_parameters()
    params = parameters.read("export", ExportParams.model_validate)
    density = parameters.read("density", DensityParams.model_validate)
    split_params = parameters.read("data", SplitParams.model_validate)

    cpu = use_cpu()  # exporting is the same everywhere, parity figures included
    started = time.perf_counter()
    model, trained_with = load_checkpoint(args.checkpoint, cpu)
    train, _ = load_training_splits(args.data, split_params, cpu)
    test = load_test_split(args.data, cpu)
    about = {
        "schema_version": SCHEMA_VERSION,
        "model": args.model,
        "kind": trained_with["kind"],
        "latent_dim": model.latent_dim,
        "dataset": args.data.stem,
        "data_sha256": sha256(args.data.read_bytes()),
        "params_sha256": sha256(json.dumps(trained_with, sort_keys=True).encode()),
    }
    metadata = {key: str(value) for key, value in about.items()} | {"image_range": "0 1"}
    encoder, decoder = export_model(model, params, metadata)
    image = to_unit_interval(test.images)
    expected = computed(model, image)
    noise = draw_noise(len(train), model.latent_dim, SEED).normal
    train_codes = draw_codes(model, to_unit_interval(train.images), noise)
    with ThreadPoolExecutor(1) as beside:  # both take one core, and most of their time outside of Python
        compared = beside.submit(parity, encoder, decoder, image, expected)
        latents = npz_bytes(
            test_mean=expected["mean"].numpy(),
            test_labels=test.labels.numpy(),
            **fit_gaussian(train_codes),
            **fit_mixture(density, train_codes),
        )
    differences = compared.result()

    write_export(
        args.output,
        {**about, "params": trained_with},
        {"encoder.onnx": encoder, "decoder.onnx": decoder, "latents.npz": latents},
        {"images": len(test), "atol": ATOL, "latent_rtol": LATENT_RTOL}
        | {f"{name}_max_abs": value for name, value in differences.items()},
    )
    write_timings(f"export_{args.model}", device="cpu", seconds=time.perf_counter() - started)
    print(
        f"{args.model}: exported; onnxruntime equals torch within {max(differences.values()):.1e} on {len(test):,} images"
    )


def npz_bytes(**arrays: np.ndarray) -> bytes:
    """The arrays as an uncompressed .npz; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


if __name__ == "__main__":
    run(main)
