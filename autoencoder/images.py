"""Images as numbers and as pictures: the one preprocessing function, grids, signed differences, labelled rows, PNG.

Numpy and PIL only, because training, reports and the viewer share it.
"""

import io
from collections.abc import Mapping
from typing import Any, TypeVar, overload

import numpy as np
from jaxtyping import Float, Float32, Shaped, UInt8
from PIL import Image, ImageDraw, ImageFont

WHITE = np.float32(255)
TOO_DARK = np.array([33, 102, 172], np.float64)  # the two ends of ColorBrewer's RdBu: safe for colour-blind eyes
TOO_BRIGHT = np.array([178, 24, 43], np.float64)
FONT_SIZE = 15
MARGIN = 8

Tensor = TypeVar("Tensor")


@overload
def to_unit_interval(images: UInt8[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]: ...
@overload
def to_unit_interval(images: Tensor) -> Tensor: ...
def to_unit_interval(images: Any) -> Any:
    """The only preprocessing there is: uint8 pixels to float32 in [0, 1].

    Works on numpy arrays and torch tensors alike, and gives both the same bits on a CPU.
    """
    return images / WHITE


def to_uint8(images: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Intensities in [0, 1] to the nearest grey level; values outside are clipped."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def difference_image(
    images: Float[np.ndarray, "*n h w"], reconstructions: Float[np.ndarray, "*n h w"], limit: float = 1.0
) -> UInt8[np.ndarray, "*n h w 3"]:
    """Reconstruction minus image in colour: white where equal, red where too bright, blue where too dark.

    Args:
        images: intensities in [0, 1].
        reconstructions: intensities in [0, 1].
        limit: the difference that gets the full colour; keep it the same for pictures that are compared.

    Raises:
        ValueError: `limit` is not positive.
    """
    if limit <= 0:
        raise ValueError(f"limit = {limit}: expected a positive difference")
    difference = np.clip((reconstructions.astype(np.float64) - images) / limit, -1, 1)[..., None]
    end = np.where(difference > 0, TOO_BRIGHT, TOO_DARK)
    return np.rint(255 + np.abs(difference) * (end - 255)).astype(np.uint8)


def image_grid(
    images: Shaped[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"],
    columns: int,
    gap: int = 2,
    scale: int = 1,
    background: int = 255,
) -> UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]:
    """All images in one picture, row by row; the last row may end early.

    Args:
        images: uint8 (grey or RGB), or floats in [0, 1].
        columns: images per row.
        gap: pixels between neighbours, after scaling; none around the whole.
        scale: every pixel becomes a square of this many pixels (nearest neighbour, so that it stays crisp).
        background: grey level of gaps and empty cells.

    Raises:
        ValueError: there is no image, or a size is out of range.
    """
    if len(images) == 0 or columns < 1 or gap < 0 or scale < 1:
        raise ValueError(f"cannot arrange {len(images)} images with columns={columns}, gap={gap}, scale={scale}")
    tiles = _scaled(_pixels(images), scale)
    count, height, width = tiles.shape[:3]
    rows = -(-count // columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    grid = np.full((*size, *tiles.shape[3:]), background, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        grid[top : top + height, left : left + width] = tile
    return grid


def labelled_rows(
    rows: Mapping[str, np.ndarray], scale: int = 2, gap: int = 4, columns: int | None = None
) -> UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]:
    """One row of images per entry, or several, its name at the left: the sheets of reports and README.

    Args:
        rows: name -> images as `image_grid` takes them; rows may differ in length and mix grey with colour.
        scale: as in `image_grid`.
        gap: pixels between images, after scaling.
        columns: images per row; all of an entry's images where it is None.

    Returns:
        Black text on white; RGB where any row is, otherwise grey.

    Raises:
        ValueError: there is no row, or a row has no image.
    """
    if not rows:
        raise ValueError("no rows to draw")
    strips = {
        name: image_grid(images, columns=columns or len(images), gap=gap, scale=scale) for name, images in rows.items()
    }
    colour = any(strip.ndim == 3 for strip in strips.values())
    font = ImageFont.load_default(FONT_SIZE)
    label_width = 2 * MARGIN + max(round(font.getlength(name)) for name in rows)
    width = label_width + max(strip.shape[1] for strip in strips.values()) + MARGIN
    spacing = gap if columns is None else 3 * gap  # several lines of one entry stay together
    height = 2 * MARGIN + sum(strip.shape[0] for strip in strips.values()) + spacing * (len(rows) - 1)
    sheet = Image.new("RGB" if colour else "L", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = MARGIN
    for name, strip in strips.items():
        draw.text((MARGIN, top + strip.shape[0] / 2), name, fill="black", font=font, anchor="lm")
        sheet.paste(Image.fromarray(strip), (label_width, top))
        top += strip.shape[0] + spacing
    return np.asarray(sheet)


def encode_png(pixels: UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]) -> bytes:
    """The picture as a small PNG: equal pixels give equal bytes (no time stamp, no metadata)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _pixels(images: np.ndarray) -> UInt8[np.ndarray, "..."]:
    return images if images.dtype == np.uint8 else to_uint8(images)


def _scaled(tiles: UInt8[np.ndarray, "n h w *c"], scale: int) -> UInt8[np.ndarray, "n hs ws *c"]:
    return tiles.repeat(scale, axis=1).repeat(scale, axis=2)
