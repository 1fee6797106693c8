"""Planes that a person lays through a latent space. Numpy only.

Apart from planes.py, so that an edit here evaluates nothing again.
"""

import numpy as np
from jaxtyping import Float

from autoencoder.planes import Plane


def dimension_plane(center: Float[np.ndarray, " latent_dim"], across: int, up: int) -> Plane:
    """The plane of two dimensions, through a point that sets all others.

    Raises:
        ValueError: the two are the same dimension.
    """
    if across == up:
        raise ValueError(f"dimension {across} cannot be both axes of a plane")
    axes = np.eye(len(center))[[across, up]]
    return through(Plane(np.zeros(len(center)), axes), center)


def plane_of_three(codes: Float[np.ndarray, "3 latent_dim"]) -> Plane:
    """The plane that holds three codes, its origin between them, its first axis from the first to the second.

    Raises:
        ValueError: the three lie on a line, which leaves the plane undecided.
    """
    origin = codes.mean(0, dtype=np.float64)
    first, second = codes[1:].astype(np.float64) - codes[0]
    length = np.linalg.norm(first)
    right = first / (length or 1.0)
    rest = second - (second @ right) * right
    height = np.linalg.norm(rest)
    if min(length, height) <= 1e-6 * max(length, np.linalg.norm(second)):
        raise ValueError("three codes on a line do not give a plane")
    return Plane(origin, np.stack([right, rest / height]))


def through(plane: Plane, point: Float[np.ndarray, " latent_dim"]) -> Plane:
    """The parallel plane that holds the point; codes keep their coordinates."""
    return Plane(plane.origin + offset(plane, point), plane.axes)


def offset(plane: Plane, point: Float[np.ndarray, " latent_dim"]) -> Float[np.ndarray, " latent_dim"]:
    """The way from the plane to the point, at right angles."""
    return point - plane.codes(plane.coordinates(point[None]))[0]
