"""Where the ink is on a photographed sheet, whatever the light: paper estimated and divided out, dirt left aside.

Numpy and PIL only; the viewer's, no stage imports it. Constants were chosen on training digits.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

COARSE = 64  # the longer side at which the paper's shading is estimated
WIDEST_PEN = 0.25  # of the picture's longer side: what is dark over more than this is shade
DETAIL = 0.02  # of the longer side: how finely the shading is followed where there is no ink
DARKEST = 0.05  # what is darker is noise as far as ratios go
CONTRAST = 0.08  # the least part of the paper's light that ink takes away
ENOUGH = 100  # of the darkest pixels say how dark the ink is
SMALLEST = 0.06  # of the longer side: what is smaller cannot be read
SPECK = 0.1  # of the largest region's ink: what has less is dirt

Values = Float[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]


def absorbed(grey: Values) -> Values:
    """The part of the paper's light that each pixel lacks; on a dark board, the part of the dark that it lacks."""
    height, width = grey.shape
    scale = COARSE / max(height, width)
    small = resized(grey, max(1, round(height * scale)), max(1, round(width * scale)))
    if _is_bright_on_dark(small):
        grey, small = 1 - grey, 1 - small
    return 1 - grey / np.maximum(resized(_paper(small), height, width), DARKEST)


def find_digit(ink: Values) -> Mask:
    """The pixels of the largest regions of ink, none where there is no more than noise and dirt.

    Regions at the picture's edge (the table, the next line) count only where there is little else.
    """
    smooth = blurred(ink, 1.0)
    noise = 1.4826 * np.median(np.abs(smooth - np.median(smooth)))
    darkest = np.partition(smooth, -ENOUGH, axis=None)[-ENOUGH]
    dark = smooth > max(darkest / 2, 5 * noise, CONTRAST)
    regions = _regions(dark)
    mass = np.bincount(regions.ravel(), (smooth * dark).ravel())
    inside = mass.copy()
    inside[np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])] = 0
    if inside.max() > 0.2 * mass.max():
        mass = inside
    rows, columns = np.nonzero(regions == mass.argmax())
    if max(np.ptp(rows), np.ptp(columns)) < SMALLEST * max(ink.shape):
        return np.zeros_like(dark)
    return dark & (mass >= SPECK * mass.max())[regions]


def blurred(values: Values | Mask, sigma: float) -> Values:
    """A Gaussian blur, outside as at the edge; PIL has none for floats."""
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for _ in range(2):
        padded = np.pad(values, ((reach, reach), (0, 0)), "edge")
        values = sum(weight * padded[start : start + len(values)] for start, weight in enumerate(weights)).T
    return values


def resized(values: Values, rows: int, columns: int) -> Float[np.ndarray, "{rows} {columns}"]:
    """Bicubic, averaging where it shrinks."""
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BICUBIC))


def _is_bright_on_dark(grey: Values) -> bool:
    """Whether what stands out most is brighter; by ratios, since a shadow takes a part of the light as ink does."""
    levels = np.log(np.maximum(grey, DARKEST))
    residual = levels - _surface(levels, degree=1)
    return bool(residual.max() > -residual.min())


def _paper(grey: Values) -> Values:
    """The sheet without dark ink; shading, soft shadows and the edges of hard ones stay."""
    paper = _surface(grey, degree=2)
    paper = paper + _closed(grey - paper, round(WIDEST_PEN * COARSE / 2))
    residual = grey - paper
    bare = residual > np.quantile(residual, 0.005) / 2
    for _ in range(2):
        known = blurred(bare, DETAIL * COARSE)
        paper = (blurred(grey * bare, DETAIL * COARSE) + 0.05 * paper) / (known + 0.05)
        residual = grey - paper
        above = residual[residual > 0]  # ink is below
        noise = 1.4826 * np.median(above) if above.size else 0.0
        bare = residual >= -2.5 * noise - 0.01
    return paper


def _surface(grey: Values, degree: int) -> Values:
    """The plane, or the quadratic surface, nearest to the picture."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in grey.shape), indexing="ij")
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    terms = np.stack([x**i * y**j for i, j in powers], -1)
    return terms @ np.linalg.lstsq(terms.reshape(-1, len(powers)), grey.ravel())[0]


def _closed(values: Values, radius: int) -> Values:
    """Morphological closing: dark spots narrower than two radii are filled with what surrounds them."""
    for largest in (True, False):
        for axis in (0, 1):
            widths = [(radius, radius) if side == axis else (0, 0) for side in (0, 1)]
            padded = np.pad(values, widths, "edge")
            windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=axis)
            values = windows.max(-1) if largest else windows.min(-1)
    return values


def _regions(mask: Mask) -> Int[np.ndarray, "height width"]:
    """Regions connected through eight neighbours, each with its number; 0 where the mask is not set."""
    labels = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        padded = np.pad(labels, 1)
        rows = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
        spread = np.where(mask, np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:]), 0)
        spread = np.where(mask, spread.ravel()[spread - 1], 0)  # a label names a pixel, which may know a larger one
        if np.array_equal(spread, labels):
            return np.unique(labels, return_inverse=True)[1].reshape(mask.shape)
        labels = spread
