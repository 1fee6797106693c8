"""How much of a photographed digit the viewer's preparation gives back to `vae`, beside a naive resize.

Test digits are moved, scaled, lit unevenly, blurred, made noisy and saved as JPEG, some with another pen, all from one
seed. The preparation was tuned on training digits. Needs the workspace's data and models, which `make repro` makes.
"""

import io
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import PIL
from jaxtyping import Float32, Int, UInt8
from PIL import Image, ImageFilter

from autoencoder.exported import ExportedModel, load_model
from autoencoder.images import to_unit_interval
from autoencoder.preparation import from_picture
from autoencoder.reader import Reader, load_reader
from autoencoder.uploads import PictureError, read_grey
from benchmarks.report import run_parts

DATA = Path("data/mnist.npz")
MODELS = Path("models")
DIGITS = 500
SEED = 0
WIDTH, HEIGHT = 400, 300
ENLARGED = 16  # pixels per pixel while the pen is changed
Range = tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """What photographs are like: each value is drawn evenly from its range."""

    frame: Range = (90, 260)  # side of the digit's 28x28 square in a photograph of 400x300
    pen: Range = (0.0, 0.0)  # what the pen is wider than the original's, in MNIST's pixels
    paper: Range = (0.75, 0.9)  # reflectances
    ink: Range = (0.1, 0.35)
    slope: Range = (0.0, 0.3)  # part of the light that is lost or won from the middle to an edge
    corners: Range = (0.0, 0.2)  # part of the light that is lost in the corners
    shadow: Range = (0.0, 0.0)  # part of the light that a shadow with an edge takes
    blur: Range = (0.5, 1.5)  # standard deviations, in pixels
    noise: Range = (2.0, 8.0)  # and in grey levels
    specks: Range = (0.0, 0.0)


SETTINGS = {
    "photographed": Setting(),
    "thicker_pen": Setting(pen=(0.0, 0.5)),
    "marker": Setting(pen=(0.5, 1.5)),
    "fine_pen": Setting(pen=(-0.8, -0.4)),
    "bad_light": Setting(slope=(0.3, 0.6), corners=(0.2, 0.6), shadow=(0.2, 0.4)),
    "bad_camera": Setting(blur=(1.5, 3.0), noise=(8.0, 25.0)),
    "dirty_paper": Setting(specks=(3.0, 12.0)),
    "blackboard": Setting(paper=(0.1, 0.25), ink=(0.7, 0.9)),
}


def main() -> None:
    """Measure every setting, or those that the command line names."""
    for path in (DATA, MODELS / "vae" / "onnx", MODELS / "classifier" / "onnx"):
        if not path.exists():
            sys.exit(f"error: {path} is missing; make it with `make repro`")
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


def photograph(digit: UInt8[np.ndarray, "28 28"], setting: Setting, generator: np.random.Generator) -> bytes:
    """The digit written somewhere on a sheet of paper and photographed, as a JPEG file."""

    def draw(limits: Range) -> float:
        return generator.uniform(*limits)

    side = round(draw(setting.frame))
    sheet = Image.new("L", (WIDTH, HEIGHT))
    place = (int(draw((0, WIDTH - side))), int(draw((0, HEIGHT - side))))
    sheet.paste(_written(digit, draw(setting.pen)).resize((side, side), Image.Resampling.BICUBIC), place)
    covered = np.asarray(sheet.filter(ImageFilter.GaussianBlur(draw(setting.blur)))) / 255
    picture = (draw(setting.paper) * (1 - covered) + draw(setting.ink) * covered) * _light(setting, generator)
    picture = 240 * picture + draw(setting.noise) * generator.standard_normal(picture.shape)
    y, x = np.indices(picture.shape)
    for _ in range(round(draw(setting.specks))):
        distance = np.hypot(y - draw((0, HEIGHT)), x - draw((0, WIDTH)))
        picture[distance < draw((1, 3))] *= 0.35
    buffer = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def naively_resized(content: bytes) -> Float32[np.ndarray, "28 28"]:
    """What a first attempt does: resize to 28x28, invert where the paper is bright."""
    picture = Image.open(io.BytesIO(content)).convert("L").resize((28, 28), Image.Resampling.LANCZOS)
    image = to_unit_interval(np.asarray(picture))
    return 1 - image if image.mean() > 0.5 else image


def _written(digit: UInt8[np.ndarray, "28 28"], pen: float) -> Image.Image:
    """The digit enlarged, its pen wider by so many of its own pixels, or finer."""
    size = ENLARGED * len(digit)
    image = Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)
    reach = round(abs(pen) * ENLARGED / 2)
    return image.filter((ImageFilter.MaxFilter if pen > 0 else ImageFilter.MinFilter)(2 * reach + 1))


def _light(setting: Setting, generator: np.random.Generator) -> np.ndarray:
    """What reaches the paper, 1 in the middle: a slope, darker corners, a shadow's edge anywhere across."""
    y, x = np.meshgrid(np.linspace(-1, 1, HEIGHT), np.linspace(-1, 1, WIDTH), indexing="ij")

    def across() -> np.ndarray:
        angle = generator.uniform(0, 2 * np.pi)
        return np.cos(angle) * x + np.sin(angle) * y

    slope = generator.uniform(*setting.slope) * across()
    corners = generator.uniform(*setting.corners) * (x * x + y * y) / 2
    edge = np.clip(0.5 + 10 * (across() - generator.uniform(-0.5, 0.5)), 0, 1)
    return (1 + slope) * (1 - corners) * (1 - generator.uniform(*setting.shadow) * edge)


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
    reconstructions = model.reconstruct(inputs)
    return {
        "error_against_input": float(np.mean((reconstructions - inputs) ** 2)),
        "error_against_original": float(np.mean((reconstructions - originals) ** 2)),
        "read_alike": float(np.mean(reader.read(inputs).label == labels)),
    }


if __name__ == "__main__":
    main()
