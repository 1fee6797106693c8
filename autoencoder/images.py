"""Images as numbers and as pictures: the one preprocessing function, grids, PNG.

Numpy and PIL only, because training, reports and the viewer share it. What training does not need is in sheets.py.
"""

import io
from typing import Any, TypeVar, overload

import numpy as np
from jaxtyping import Float, Float32, Shaped, UInt8
from PIL import Image

WHITE = np.float32(255)

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


def encode_png(pixels: UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]) -> bytes:
    """The picture as a small PNG: equal pixels give equal bytes (no time stamp, no metadata)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _pixels(images: np.ndarray) -> UInt8[np.ndarray, "..."]:
    return images if images.dtype == np.uint8 else to_uint8(images)


def _scaled(tiles: UInt8[np.ndarray, "n h w *c"], scale: int) -> UInt8[np.ndarray, "n hs ws *c"]:
    return tiles.repeat(scale, axis=1).repeat(scale, axis=2)
