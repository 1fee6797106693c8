"""What benchmarks measure on: MNIST, and what `make repro` has made of it here."""

import sys
from pathlib import Path

from autoencoder.config import Parameters

DATA, MODELS = Path("data/mnist.npz"), Path("models")


def require(data: Path, *paths: Path) -> None:
    """End with one message where this workspace is of another data set, or lacks its data or one of these paths."""
    dataset = Parameters.load(Path("params.yaml")).tree["data"]["dataset"]
    if dataset != data.stem:  # an old file may still lie there, beside models of the new data
        sys.exit(f"error: params.yaml: data.dataset = {dataset}: this is measured on {data.stem}")
    for path in (data, *paths):
        if not path.exists():
            sys.exit(f"error: {path} is missing; make it with `make repro`")
