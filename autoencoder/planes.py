"""Planes through a latent space, and the square of one that a picture shows. Numpy only."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

SHOWN = 0.99  # quantile of the points that must be inside the frame, on every side
MARGIN = 1.05
MAPPED = 2500  # codes on a map: more would hide each other


@dataclass(frozen=True)
class Plane:
    """A point and two orthonormal directions; a latent space of one dimension has a second axis of length 0."""

    origin: Float[np.ndarray, " latent_dim"]
    axes: Float[np.ndarray, "2 latent_dim"]

    def coordinates(self, codes: Float[np.ndarray, "n latent_dim"]) -> Float[np.ndarray, "n 2"]:
        """Where codes fall when they are projected onto the plane."""
        return (codes - self.origin) @ self.axes.T

    def codes(self, coordinates: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n latent_dim"]:
        """The latents at points of the plane."""
        return self.origin + coordinates @ self.axes


@dataclass(frozen=True)
class Frame:
    """A square of a plane, in its coordinates."""

    middle: Float[np.ndarray, "2"]
    reach: float  # from the middle to each side

    def grid(self, side: int) -> Float[np.ndarray, "cells 2"]:
        """Evenly spaced points from edge to edge, row by row from the top left."""
        steps = np.linspace(-self.reach, self.reach, side)
        across, down = np.meshgrid(steps, -steps)
        return self.middle + np.stack([across.ravel(), down.ravel()], 1)


def principal_plane(codes: Float[np.ndarray, "n latent_dim"]) -> Plane:
    """The plane that keeps most of the codes' variance, through their mean; of two dimensions, those themselves."""
    dim = codes.shape[1]
    if dim <= 2:
        return Plane(np.zeros(dim), np.eye(2, dim))
    mean = codes.mean(0, dtype=np.float64)
    axes = np.linalg.eigh(np.cov(codes.T.astype(np.float64)))[1][:, :-3:-1].T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)  # signs fixed, so that runs agree
    return Plane(mean, axes * np.sign(largest))


def quantile_grid(side: int) -> Float[np.ndarray, "cells 2"]:
    """Points that cut N(0, I) of a plane into equal shares, row by row from the top left."""
    levels = np.array([NormalDist().inv_cdf((index + 0.5) / side) for index in range(side)])
    across, down = np.meshgrid(levels, -levels)
    return np.stack([across.ravel(), down.ravel()], 1)


def shares(plane: Plane, codes: Float[np.ndarray, "n latent_dim"]) -> Float[np.ndarray, "2"]:
    """How much of the codes' variance lies along each axis, of 1; nothing where they do not vary."""
    return plane.coordinates(codes).var(0) / max(codes.var(0).sum(), np.finfo(np.float32).tiny)


def frame_of(points: Float[np.ndarray, "n 2"], corners: Float[np.ndarray, "corners 2"] | None = None) -> Frame:
    """The square that shows nearly all points, and all corners."""
    low, high = np.quantile(points, [1 - SHOWN, SHOWN], axis=0)
    if corners is not None:
        low, high = np.minimum(low, corners.min(0)), np.maximum(high, corners.max(0))
    reach = float((high - low).max()) / 2 * MARGIN
    return Frame((low + high) / 2, reach or 1.0)
