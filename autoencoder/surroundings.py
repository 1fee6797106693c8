"""Where a point of the latent space lies: how far from where codes are expected, and which codes are near. Numpy only."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int, UInt8

from autoencoder.planes import Plane
from autoencoder.priors import Prior

FLOOR = 1e-3  # of the largest standard deviation: smaller ones are raised to this share of it
TURNS = np.linspace(0, 2 * np.pi, 120, endpoint=False)
CIRCLE = np.stack([np.cos(TURNS), np.sin(TURNS)], 1)  # as a polygon


@dataclass(frozen=True)
class Mahalanobis:
    """Distance from a Gaussian: `|whitening @ (z - mean)|` is z's distance in sigmas."""

    mean: Float[np.ndarray, " latent_dim"]
    whitening: Float[np.ndarray, "latent_dim latent_dim"]
    spread: Float[np.ndarray, " latent_dim"]  # standard deviation of each dimension
    rank: int  # directions in which it varies at all

    def radius(self, share: float) -> float:
        """The distance in sigmas within which this share of its draws lies (Wilson & Hilferty 1931)."""
        step = 2 / (9 * self.rank)
        return float(np.sqrt(self.rank * (1 - step + NormalDist().inv_cdf(share) * step**0.5) ** 3))


def mahalanobis(prior: Prior) -> Mahalanobis:
    """The distance from a prior of one component; directions without variance keep a small one.

    Raises:
        ValueError: the prior is a mixture of several.
    """
    if len(prior.weights) != 1:
        raise ValueError(f"a mixture of {len(prior.weights)} Gaussians has no distance in sigmas")
    deviations, directions = np.linalg.eigh(prior.factors[0])
    floor = FLOOR * deviations.max() or FLOOR  # of a dead model nothing varies
    whitening = (directions / np.maximum(deviations, floor)) @ directions.T
    spread = np.linalg.norm(prior.factors[0], axis=1)
    return Mahalanobis(prior.means[0], whitening, spread, max(1, int((deviations > floor).sum())))


def outline(measure: Mahalanobis, plane: Plane, radius: float) -> Float[np.ndarray, "corners 2"] | None:
    """Where a plane cuts the surface at this distance, in its coordinates: an ellipse, or None where it does not."""
    slope = measure.whitening @ plane.axes.T
    start = measure.whitening @ (plane.origin - measure.mean)
    nearest = -np.linalg.pinv(slope) @ start
    left = radius**2 - np.square(slope @ nearest + start).sum()
    if left <= 0:
        return None
    scales, directions = np.linalg.eigh(slope.T @ slope)
    lengths = np.divide(1, np.sqrt(scales.clip(0)), out=np.zeros(2), where=scales > 1e-12 * scales.max())
    return nearest + np.sqrt(left) * CIRCLE @ ((directions * lengths) @ directions.T)


def shadow(
    mean: Float[np.ndarray, " latent_dim"],
    deviations: Float[np.ndarray, " latent_dim"],
    plane: Plane,
    radius: float,
) -> Float[np.ndarray, "corners 2"]:
    """The ellipse at this many standard deviations of a diagonal Gaussian projected onto a plane, in its coordinates."""
    scaled = plane.axes * deviations
    variances, directions = np.linalg.eigh(scaled @ scaled.T)
    root = (directions * np.sqrt(variances.clip(0))) @ directions.T
    return plane.coordinates(mean[None]) + radius * CIRCLE @ root


def nearest_codes(
    codes: Float[np.ndarray, "n latent_dim"], point: Float[np.ndarray, " latent_dim"], count: int
) -> Int[np.ndarray, " found"]:
    """Indices of the codes nearest to the point (Euclidean), the nearest first."""
    squared = np.square(codes - point).sum(1)
    found = np.argpartition(squared, min(count, len(codes)) - 1)[:count]
    return found[np.argsort(squared[found], kind="stable")]


def typical_code(codes: Float[np.ndarray, "n latent_dim"], labels: UInt8[np.ndarray, " n"], label: int) -> int:
    """Index of the code nearest to the mean of its digit's codes.

    Raises:
        ValueError: no code has this label.
    """
    pool = np.flatnonzero(labels == label)
    if len(pool) == 0:
        raise ValueError(f"no test image shows a {label}")
    return int(pool[nearest_codes(codes[pool], codes[pool].mean(0), 1)[0]])


def code_spread(codes: Float[np.ndarray, "n latent_dim"]) -> Float[np.ndarray, " latent_dim"]:
    """Standard deviation of every dimension over the codes."""
    return codes.std(0, dtype=np.float64)
