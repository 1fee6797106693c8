"""How much of a photographed digit the viewer's preparation gives back to `vae`, beside a naive resize.

Test digits are moved, scaled, lit unevenly, blurred, made noisy and saved as JPEG, some with another pen, all from one
seed. The preparation was tuned on training digits. Needs the workspace's data and models, which `make repro` makes.
"""

from functools import partial
from typing import Any

import numpy as np
import onnxruntime
import PIL
from jaxtyping import Float32, Int, UInt8

from autoencoder.exported import ExportedModel, load_model
from autoencoder.images import to_unit_interval
from autoencoder.preparation import from_picture
from autoencoder.reader import Reader, load_reader
from autoencoder.reconstruction import reconstruct
from autoencoder.uploads import PictureError, read_grey
from benchmarks.parts import run_parts
from benchmarks.workspace import DATA, MODELS, require
from scripts.photographs import SETTINGS, Setting, naively_resized, photograph

DIGITS = 500
SEED = 0


def main() -> None:
    """Measure every setting, or those that the command line names."""
    require(DATA, MODELS / "vae" / "onnx", MODELS / "classifier" / "onnx")
    with np.load(DATA, allow_pickle=False) as arrays:
        images = arrays["test_images"]
    digits = images[np.random.default_rng(SEED).choice(len(images), DIGITS, replace=False)]
    model = load_model(MODELS / "vae" / "onnx", "cpu")
    reader = load_reader(MODELS / "classifier" / "onnx", "cpu")
    parts = {name: partial(measure, digits, setting, model, reader) for name, setting in SETTINGS.items()}
    environment = {"numpy": np.__version__, "onnxruntime": onnxruntime.__version__, "pillow": PIL.__version__}
    run_parts("photos", __doc__, environment, parts)


def measure(digits: UInt8[np.ndarray, "n 28 28"], setting: Setting, model: ExportedModel, reader: Reader) -> Any:
    """Mean squared errors of `model`'s reconstructions, and the share of digits read as the clean ones are."""
    generator = np.random.default_rng(SEED + 1)
    photographs = [photograph(digit, setting, generator) for digit in digits]
    originals = to_unit_interval(digits)
    labels = reader.read(originals).label
    clean = _compared(originals, originals, labels, model, reader)
    prepared = _compared(np.stack([_prepared(photo) for photo in photographs]), originals, labels, model, reader)
    naive = _compared(np.stack([naively_resized(photo) for photo in photographs]), originals, labels, model, reader)
    error = "error_against_original"
    return {
        "digits": len(digits),
        "clean": clean,
        "prepared": prepared,
        "naive": naive,
        "times_clean": prepared[error] / clean[error],
        "times_better_than_naive": naive[error] / prepared[error],
    }


def _prepared(content: bytes) -> Float32[np.ndarray, "28 28"]:
    """As the encoder gets it; black where no digit was found, which counts as any other bad result."""
    try:
        return from_picture(read_grey(content))
    except PictureError:
        return np.zeros((28, 28), np.float32)


def _compared(
    inputs: Float32[np.ndarray, "n 28 28"],
    originals: Float32[np.ndarray, "n 28 28"],
    labels: Int[np.ndarray, " n"],
    model: ExportedModel,
    reader: Reader,
) -> dict[str, float]:
    reconstructions = reconstruct(model, inputs)
    return {
        "error_against_input": float(np.mean((reconstructions - inputs) ** 2)),
        "error_against_original": float(np.mean((reconstructions - originals) ** 2)),
        "read_alike": float(np.mean(reader.read(inputs).label == labels)),
    }


if __name__ == "__main__":
    main()
