"""Synthetic photographs of digits, for measurements, tests and screenshots."""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageFilter

from autoencoder.images import to_unit_interval

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
