"""Drawings and photographs of a digit in the form of MNIST: bright on black, 20 pixels long, centred by its mass.

Numpy and PIL only; the viewer's, no stage imports it. Constants were chosen on training digits.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image, ImageDraw

from autoencoder.ink import Mask, Values, absorbed, blurred, find_digit, resized
from autoencoder.uploads import PictureError

SIDE = 28
BOX = 20  # MNIST's digits are scaled to fit a square of this side
CENTER = 14.5  # where their centre of mass lies: the middle of pixel 14
PEN = 2.76  # the median width of MNIST's pens, in pixels
USUAL_PEN = 2.2  # near the median of MNIST's digits as `_pen_width` measures them
PENS = (2.0, 3.2)  # a photographed pen is brought into this range,
KEPT = 0.8  # and so much of its difference from the usual one is kept
LEAN = 0.1  # how far above or left of the square's middle MNIST's digits lie along their shorter side, on average
SURE = 0.35  # a shift of so much beyond whole pixels still tells which it was
CANVAS = 280  # side of the square that strokes are drawn in
DOT = CANVAS / 7  # a drawing smaller than this is not enlarged to the full size
FINE = 8  # rows and columns per pixel while a digit is being shaped
WORKING = 384  # the longer side of the picture in which a digit is looked for
NOTHING = "There is no digit to be seen in this picture."
BLACK, WHITE = 0.02, 0.9  # the median of a digit of MNIST's and its brightest pixel are beyond these


def from_strokes(strokes: Sequence[Sequence[int | float | None]]) -> Float32[np.ndarray, "28 28"] | None:
    """A drawing as MNIST would have it, with MNIST's pen; None where nothing is drawn.

    Args:
        strokes: one list of x0, y0, x1, y1, ... per stroke, in units of a canvas of side `CANVAS`; a point with a
            number that is missing (None, as JSON writes what is no number) or not finite is passed over.
    """
    lines = [np.array(stroke[: len(stroke) // 2 * 2], np.float64).reshape(-1, 2) for stroke in strokes]
    lines = [line for line in (line[np.isfinite(line).all(1)] for line in lines) if len(line)]
    if not lines:
        return None
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    scale = (BOX - PEN) / max((high - low).max(), DOT)
    sheet = Image.new("L", (SIDE * FINE, SIDE * FINE))
    draw = ImageDraw.Draw(sheet)
    radius = (PEN * FINE - 1) / 2  # from the middle of a pixel to that of another
    for line in lines:
        places = ((line - (low + high) / 2) * scale + SIDE / 2) * FINE
        draw.line(places.ravel().tolist(), fill=255, width=round(PEN * FINE))
        for x, y in places:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return _placed(np.asarray(sheet, np.float32) / 255, float(FINE))


def from_picture(grey: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "28 28"]:
    """The digit of a picture, dark on bright or bright on dark, as MNIST would have it.

    A picture that has MNIST's form already stays as it is; enlarged to a larger square, it comes back.

    Args:
        grey: intensities in [0, 1], as `read_grey` gives them.

    Raises:
        PictureError: there is no digit to be seen.
    """
    if grey.shape[0] == grey.shape[1]:
        small = np.asarray(Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BOX))
        for image in (small, 1 - small):
            if _has_mnist_form(image):
                return image
    scale = WORKING / max(grey.shape)
    ink = absorbed(resized(grey, *(max(1, round(size * scale)) for size in grey.shape)))
    digit = find_digit(ink)
    if not 0 < digit.mean() <= 0.5:
        raise PictureError(NOTHING)
    image = _shaped(_cut_out(ink, digit))
    if image.max() <= 0.5:
        raise PictureError(NOTHING)
    return image


def _has_mnist_form(image: Values) -> bool:
    """Whether this is bright on black, of MNIST's size and in its place, which all of MNIST is to half a pixel."""
    bright = image > 0.2
    if not 0 < bright.mean() < 0.5 or np.median(image) > BLACK or image.max() < WHITE:
        return False
    offset = np.abs(np.subtract(_center_of_mass(image), CENTER)).max()
    return bool(abs(max(_extent(bright)) - BOX) <= 1 and offset <= 0.75)


def _cut_out(ink: Values, digit: Mask) -> Float[np.ndarray, "side side"]:
    """The digit with a margin, its ink at 1 and the rest at 0, at `FINE` rows and columns per pixel to come."""
    length = max(_extent(digit))
    near = digit | (blurred(digit, length / BOX) > 0.05)  # of a hair-thin pen, the blur alone leaves nothing
    reach = int(0.65 * length)
    top, left = (int(middle) for middle in _middle(digit))
    ink = np.pad(np.where(near, ink / np.median(ink[digit]), 0), reach)
    side = 2 * reach * BOX * FINE // length
    return resized(ink[top : top + 2 * reach, left : left + 2 * reach], side, side)


def _shaped(ink: Values) -> Float32[np.ndarray, "28 28"]:
    """The digit in its final form: its edge where ink is half as dark as inside, a pen of a usual width, centred."""
    smooth = blurred(ink, 1.0)
    inside = min(1.0, float(np.quantile(smooth[smooth >= smooth.max() / 2], 0.9)))  # less than 1 only of a fine pen
    digit = np.clip(2 * smooth / inside - 0.5, 0, 1)
    length = max(_extent(digit > 0.5))
    pen = _pen_width(digit)
    wanted = np.clip(USUAL_PEN + KEPT * (pen * BOX / length - USUAL_PEN), *PENS)
    growth = (wanted * length - pen * BOX) / (BOX - wanted)  # the digit grows with its pen, and is scaled to BOX then
    digit = _thickened(digit, round(growth / 2))
    return _placed(digit, max(_extent(digit > 0.5)) / BOX)


def _pen_width(digit: Values) -> float:
    """Twice the area over the outline's length: a stroke has two sides."""
    dy, dx = np.gradient(np.pad(digit, 1))
    return float(2 * digit.sum() / np.hypot(dy, dx).sum())


def _thickened(digit: Values, steps: int) -> Float[np.ndarray, "_ _"]:
    """Grown by so many pixels on every side, or thinned where negative: an octagon, by crosses and squares in turn."""
    pick = np.maximum if steps > 0 else np.minimum
    digit = np.pad(digit, max(steps, 0))
    for step in range(abs(steps)):
        padded = np.pad(digit, 1)
        upright = pick(pick(padded[:-2], padded[1:-1]), padded[2:])
        across = upright if step % 2 else padded[1:-1]
        digit = pick(upright[:, 1:-1], pick(across[:, :-2], across[:, 2:]))
    return digit


def _placed(digit: Values, scale: float) -> Float32[np.ndarray, "28 28"]:
    """The digit at so many rows per pixel, where MNIST has it.

    MNIST's digits were drawn into the middle of a square of 20 pixels, then moved by whole pixels until their centre of
    mass was nearest to pixel (14, 14). Halfway between two pixels, where one cannot tell which it was, lies what is
    least wrong.
    """
    mask = digit > 0.5
    sides = _extent(mask)
    margin = int(SIDE * scale)
    corner = []
    for side, center, middle in zip(sides, _center_of_mass(digit), _middle(mask), strict=True):
        lean = LEAN if side < 0.98 * max(sides) else 0.0
        place = CENTER - (center - middle) / scale + lean
        whole = np.floor(place)
        place = whole + np.clip((place - whole - 0.5) / (1 - 2 * SURE) + 0.5, 0, 1) - lean
        corner.append(middle + margin - place * scale)
    image = Image.fromarray(np.pad(digit, margin).astype(np.float32))
    y, x = corner
    box = (x, y, x + SIDE * scale, y + SIDE * scale)
    return np.clip(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.HAMMING, box)), 0, 1)


def _center_of_mass(values: Values) -> tuple[float, float]:
    """Row and column, counted from the edge: the middle of the first pixel is at 0.5."""
    y, x = np.indices(values.shape) + 0.5
    total = values.sum()
    return float((values * y).sum() / total), float((values * x).sum() / total)


def _middle(mask: Mask) -> tuple[float, float]:
    """Row and column in the middle of the smallest box that holds the mask, counted from the edge."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return (rows[0] + rows[-1] + 1) / 2, (columns[0] + columns[-1] + 1) / 2


def _extent(mask: Mask) -> tuple[int, int]:
    """Height and width of the smallest box that holds the mask, which is not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
