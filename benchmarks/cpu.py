"""Every claim about speed on a CPU, in one run of about half an hour; nothing else should run meanwhile.

Needs the workspace's data and models, which `make repro` makes.
"""

import tempfile
from pathlib import Path
from typing import Any

import torch

from autoencoder.data import SplitParams, load_test_split, load_training_splits
from autoencoder.devices import configure
from benchmarks import pipeline
from benchmarks.epochs import time_per_epoch
from benchmarks.interaction import interaction
from benchmarks.parts import run_parts
from benchmarks.quality import time_to_quality
from benchmarks.serving import decoding
from benchmarks.viewer import first_paint
from benchmarks.workspace import DATA, MODELS, require
from scripts.machine import environment
from stages.device import use_cpu

CPU = torch.device("cpu")
MODEL = MODELS / "vae"
SEEDS = range(5)


def main() -> None:
    """Run every part, or those that the command line names."""
    require(DATA, MODEL / "model.pt", MODEL / "onnx" / "decoder.onnx")
    configure(use_cpu(), tf32=False)
    train, validation = load_training_splits(DATA, SplitParams(validation_size=10_000), CPU)
    test = load_test_split(DATA, CPU)
    parts = {
        "decoding": lambda: decoding(MODEL),
        "first_paint": first_paint,
        "interaction": interaction,
        "time_to_quality": lambda: time_to_quality(train, validation, test, SEEDS),
        "time_per_epoch": lambda: time_per_epoch(train),
        "pipeline": whole_pipeline,
    }
    run_parts("cpu", __doc__, environment(CPU), parts)


def whole_pipeline() -> dict[str, Any]:
    """From scratch, then after small changes."""
    with tempfile.TemporaryDirectory() as folder:
        report = pipeline.from_scratch(Path(folder), DATA)
        del report["metrics"]  # how good the models are is not the question here
        return report | {"changes": pipeline.changes(Path(folder))}


if __name__ == "__main__":
    main()
