"""Pictures decoded ahead of time, so that a page can blend what lies between them while a point is dragged.

An atlas covers a square of a plane, strips cover every dimension around a point. Numpy and PIL only.
"""

import io
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from autoencoder.images import image_grid, to_uint8
from autoencoder.planes import Frame, Plane

PLANE_SIDE = 25  # pictures per row and column of one plane among many: the blend is off by less than one grey level
SPACE_SIDE = 46  # of a latent space of two dimensions, which folds more into its plane and is sent only once
STRIP_LENGTH = 25  # pictures per dimension
STRIP_REACH = 3.5  # standard deviations to each side

Decode = Callable[[np.ndarray], np.ndarray]  # latents [n, latent_dim] to images [n, 28, 28] in [0, 1]


def decode_atlas(decode: Decode, plane: Plane, frame: Frame, side: int) -> UInt8[np.ndarray, "side side 28 28"]:
    """The pictures at the points of the frame's grid, the first row at the top."""
    return to_uint8(decode(plane.codes(frame.grid(side)))).reshape(side, side, 28, 28)


def decode_strips(
    decode: Decode, point: Float[np.ndarray, " latent_dim"], ranges: Float[np.ndarray, "latent_dim 2"]
) -> UInt8[np.ndarray, "latent_dim length 28 28"]:
    """The pictures one meets when a single dimension of the point runs through its range."""
    dim, length = len(point), STRIP_LENGTH
    latents = np.repeat(point[None], dim * length, axis=0).reshape(dim, length, dim)
    every = np.arange(dim)
    latents[every, :, every] = np.linspace(ranges[:, 0], ranges[:, 1], length, axis=1)
    return to_uint8(decode(latents.reshape(-1, dim))).reshape(dim, length, 28, 28)


def slider_ranges(
    center: Float[np.ndarray, " latent_dim"],
    spread: Float[np.ndarray, " latent_dim"],
    codes: Float[np.ndarray, "n latent_dim"],
    point: Float[np.ndarray, " latent_dim"],
) -> Float[np.ndarray, "latent_dim 2"]:
    """How far each slider goes: some standard deviations of prior and codes, and as far as the point lies.

    Args:
        center: the prior's mean.
        spread: the prior's standard deviations; a dimension where neither prior nor codes vary gets the mean of all.
        codes: of the test images.
        point: stays on every slider.
    """
    reach = np.maximum(spread, codes.std(0))
    reach = STRIP_REACH * np.where(reach > 1e-3 * reach.max(), reach, reach.mean() or 1.0)
    low, high = np.minimum(center - reach, point), np.maximum(center + reach, point)
    return np.stack([low, high], 1)


def digits_sheet(images: UInt8[np.ndarray, "n 28 28"], columns: int) -> bytes:
    """All images in one PNG without gaps; a tenth larger than the smallest PNG, in a twentieth of the time."""
    buffer = io.BytesIO()
    Image.fromarray(image_grid(images, columns, gap=0)).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
