"""Distributions over the latent space that one can draw from: N(0, I) and one Gaussian fitted to the training codes.

Numpy only: the pipeline scores with it what the viewer serves. A draw is split in two, noise and its transformation,
so that the same noise can go through several priors and models and the pictures compare.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64


@dataclass(frozen=True)
class Prior:
    """A Gaussian over latents: `mean + factor @ noise` with noise from N(0, I)."""

    mean: Float64[np.ndarray, " latent_dim"]
    factor: Float64[np.ndarray, "latent_dim latent_dim"]


def standard_normal(latent_dim: int) -> Prior:
    """N(0, I), what the KL term of a VAE pulls the posterior towards."""
    return Prior(np.zeros(latent_dim), np.eye(latent_dim))


def fitted_gaussian(
    mean: Float[np.ndarray, " latent_dim"], covariance: Float[np.ndarray, "latent_dim latent_dim"]
) -> Prior:
    """The Gaussian with these moments; directions without variance (dead units) are allowed.

    Raises:
        ValueError: a value is not finite, or the covariance is not symmetric and positive semi-definite.
    """
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError("mean and covariance must be finite")
    scale = np.abs(covariance).max(initial=0.0)
    variances, directions = np.linalg.eigh(covariance.astype(np.float64))
    if not np.allclose(covariance, covariance.T, rtol=0, atol=1e-8 * scale) or variances.min() < -1e-8 * scale:
        raise ValueError("covariance is not symmetric and positive semi-definite")
    # The symmetric root, unlike Cholesky's, exists for singular matrices and moves the noise least: of all factors it
    # keeps a draw from this prior closest to the draw from N(0, I) with the same noise.
    factor = (directions * np.sqrt(variances.clip(min=0))) @ directions.T
    return Prior(mean.astype(np.float64), factor)


def draw_noise(count: int, latent_dim: int, seed: int) -> Float64[np.ndarray, "count latent_dim"]:
    """Standard normal noise; a larger count begins with the rows of a smaller one."""
    return np.random.default_rng(seed).standard_normal((count, latent_dim))


def sample(
    prior: Prior, noise: Float64[np.ndarray, "n latent_dim"], temperature: float = 1.0
) -> Float32[np.ndarray, "n latent_dim"]:
    """Latents drawn from the prior.

    Args:
        prior: where to draw from.
        noise: from `draw_noise`.
        temperature: scales the standard deviation; 0 gives the prior's mean, 1 the prior itself.

    Raises:
        ValueError: `temperature` is negative, or the noise has another latent_dim than the prior.
    """
    if temperature < 0:
        raise ValueError(f"temperature = {temperature}: expected 0 or more")
    if noise.shape[1] != len(prior.mean):
        raise ValueError(f"the noise has {noise.shape[1]} dimensions, the prior {len(prior.mean)}")
    return (prior.mean + temperature * noise @ prior.factor).astype(np.float32)
