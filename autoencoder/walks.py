"""Walks through a latent space: from code to code in equal steps, where a reading changes on the way, and as a GIF.

Numpy and PIL only, for the viewer.
"""

import io
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8
from PIL import Image

from autoencoder.subsets import shuffled

STRAIGHT = 1e-6  # below this sine two codes lie on one line through the origin, and no arc joins them
GREYS = 16  # colours of a GIF: a quarter of the bytes of all 256, and digits look the same

Code = Float[np.ndarray, " latent_dim"]
Points = Float[np.ndarray, "n latent_dim"]


def choose_stops(labels: UInt8[np.ndarray, " n"], digits: Sequence[int], draw: int) -> Int[np.ndarray, " stops"]:
    """The index of an image of every digit, in their order; a digit named again gets another image.

    Raises:
        ValueError: there are fewer images of a label than `digits` asks for.
    """
    pools = {digit: shuffled(np.flatnonzero(labels == digit), draw) for digit in set(digits)}
    for digit, found in pools.items():
        if len(found) < digits.count(digit):
            raise ValueError(f"{len(found)} test images of {digit}, fewer than the walk has")
    return np.array([pools[digit][digits[:place].count(digit)] for place, digit in enumerate(digits)])


def walk(codes: Float[np.ndarray, "stops latent_dim"], steps: int, path: str) -> Float[np.ndarray, "frames latent_dim"]:
    """The way through all codes in their order, the same number of equal steps from each to the next.

    Args:
        codes: where the walk stops; row `i` of them is row `i * steps` of the walk.
        steps: from one code to the next.
        path: a key of PATHS.

    Raises:
        ValueError: fewer than two codes, no step, or an unknown path.
    """
    if len(codes) < 2 or steps < 1 or path not in PATHS:
        raise ValueError(f"cannot walk through {len(codes)} codes in {steps} steps along {path!r}")
    weights = np.arange(steps) / steps
    legs = [PATHS[path](start, end, weights) for start, end in pairwise(codes)]
    return np.concatenate([*legs, codes[-1:]]).astype(codes.dtype)


def linear(start: Code, end: Code, weights: Float[np.ndarray, " n"]) -> Points:
    """Points on the straight line."""
    return start + weights[:, None] * (end - start)


def spherical(start: Code, end: Code, weights: Float[np.ndarray, " n"]) -> Points:
    """Points on the arc around the origin: equal angles, the distance from the origin changing evenly (Shoemake 1985).

    Where no single arc joins the two, as they lie on one line through the origin, the straight line.
    """
    radii = np.linalg.norm([start, end], axis=1)
    if not radii.all():
        return linear(start, end, weights)
    first, last = start / radii[0], end / radii[1]
    angle = np.arccos(np.clip(first @ last, -1, 1))
    if np.sin(angle) < STRAIGHT:
        return linear(start, end, weights)
    turned = weights[:, None] * angle
    directions = (np.sin(angle - turned) * first + np.sin(turned) * last) / np.sin(angle)
    return directions * linear(radii[:1], radii[1:], weights)


PATHS = {"linear": linear, "spherical": spherical}


def flips(values: Shaped[np.ndarray, " n"]) -> Int[np.ndarray, " flips"]:
    """The index of every value that differs from the one before it."""
    return np.flatnonzero(values[1:] != values[:-1]) + 1


def encode_gif(frames: UInt8[np.ndarray, "n height width"], milliseconds: Sequence[int]) -> bytes:
    """The frames there and back, for ever, in a few greys: equal frames give equal bytes.

    Args:
        frames: grey pictures of one size.
        milliseconds: how long each is shown, in tens, which is what GIF counts in.

    Raises:
        ValueError: no frame, or not one duration of at least 20 ms for each.
    """
    if len(frames) == 0 or len(milliseconds) != len(frames) or min(milliseconds) < 20:
        raise ValueError(f"cannot animate {len(frames)} frames with durations {list(milliseconds)}")
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    greys = np.rint(np.linspace(0, 255, GREYS)).astype(np.uint8)
    pictures = [Image.fromarray(levels) for levels in np.rint(frames / (255 / (GREYS - 1))).astype(np.uint8)]
    for picture in pictures:
        picture.putpalette(greys.repeat(3).tobytes())
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=[pictures[index] for index in order[1:]],
        duration=[milliseconds[index] for index in order],
        loop=0,
    )
    return buffer.getvalue()
