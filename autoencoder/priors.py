"""Distributions over the latent space that one can draw from: N(0, I), and what was fitted to the training codes.

Numpy only: the pipeline scores with it what the viewer serves. A draw is split in two, noise and its transformation,
so that the same noise can go through several priors and models and the pictures compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64


@dataclass(frozen=True)
class Prior:
    """A mixture of Gaussians over latents, `mean + factor @ noise` each; a single Gaussian is a mixture of one."""

    weights: Float64[np.ndarray, " components"]
    means: Float64[np.ndarray, "components latent_dim"]
    factors: Float64[np.ndarray, "components latent_dim latent_dim"]


PRIORS = {"normal": "N(0, I)", "gaussian": "Gaussian", "gmm": "Mixture"}  # the names of metrics and what people read


@dataclass(frozen=True)
class Noise:
    """What a draw depends on besides the prior: a standard normal vector, and a number that picks the component."""

    normal: Float64[np.ndarray, "n latent_dim"]
    uniform: Float64[np.ndarray, " n"]


def standard_normal(latent_dim: int) -> Prior:
    """N(0, I), what the KL term of a VAE pulls the posterior towards."""
    return Prior(np.ones(1), np.zeros((1, latent_dim)), np.eye(latent_dim)[None])


def fitted_gaussian(
    mean: Float[np.ndarray, " latent_dim"], covariance: Float[np.ndarray, "latent_dim latent_dim"]
) -> Prior:
    """The Gaussian with these moments; directions without variance (dead units) are allowed.

    Raises:
        ValueError: a value is not finite, or the covariance is not symmetric and positive semi-definite.
    """
    return fitted_mixture(np.ones(1), mean[None], covariance[None])


def fitted_mixture(
    weights: Float[np.ndarray, " components"],
    means: Float[np.ndarray, "components latent_dim"],
    covariances: Float[np.ndarray, "components latent_dim latent_dim"],
) -> Prior:
    """The mixture of Gaussians with these shares and moments.

    Raises:
        ValueError: a value is not finite, the weights are below 0 or do not sum to 1, or a covariance is not symmetric
            and positive semi-definite.
    """
    if not all(np.isfinite(values).all() for values in (weights, means, covariances)):
        raise ValueError("weights, mean and covariance must be finite")
    if (weights < 0).any() or abs(weights.sum() - 1) > 1e-6:
        raise ValueError(f"the weights of a mixture must be 0 or more and sum to 1; found {weights}")
    factors = np.stack([_root(covariance) for covariance in covariances])
    return Prior(weights.astype(np.float64), means.astype(np.float64), factors)


def exported_priors(latents: Mapping[str, np.ndarray]) -> dict[str, Prior]:
    """The three priors of an exported model, by the names in PRIORS.

    Args:
        latents: `train_mean`, `train_covariance`, `mixture_weights`, `mixture_means`, `mixture_covariances` of
            latents.npz.

    Raises:
        KeyError: one of them is missing.
        ValueError: see `fitted_mixture`.
    """
    mixture = (latents[f"mixture_{name}"] for name in ("weights", "means", "covariances"))
    return {
        "normal": standard_normal(len(latents["train_mean"])),
        "gaussian": fitted_gaussian(latents["train_mean"], latents["train_covariance"]),
        "gmm": fitted_mixture(*mixture),
    }


def _root(covariance: Float[np.ndarray, "latent_dim latent_dim"]) -> Float64[np.ndarray, "latent_dim latent_dim"]:
    """The symmetric square root.

    Unlike Cholesky's it exists for singular matrices, and it moves the noise least: of all factors it keeps a draw
    closest to the draw from N(0, I) with the same noise.
    """
    scale = np.abs(covariance).max(initial=0.0)
    variances, directions = np.linalg.eigh(covariance.astype(np.float64))
    if not np.allclose(covariance, covariance.T, rtol=0, atol=1e-8 * scale) or variances.min() < -1e-8 * scale:
        raise ValueError("covariance is not symmetric and positive semi-definite")
    return (directions * np.sqrt(variances.clip(min=0))) @ directions.T


def draw_noise(count: int, latent_dim: int, seed: int) -> Noise:
    """Noise for so many draws; a larger count begins with the rows of a smaller one."""
    return Noise(
        np.random.default_rng(seed).standard_normal((count, latent_dim)),
        np.random.default_rng([seed, 1]).random(count),
    )


def sample(prior: Prior, noise: Noise, temperature: float = 1.0) -> Float32[np.ndarray, "n latent_dim"]:
    """Latents drawn from the prior.

    Args:
        prior: where to draw from.
        noise: from `draw_noise`.
        temperature: scales the standard deviation; 0 gives the component's mean, 1 the prior itself.

    Raises:
        ValueError: `temperature` is negative, or the noise has another latent_dim than the prior.
    """
    if temperature < 0:
        raise ValueError(f"temperature = {temperature}: expected 0 or more")
    if noise.normal.shape[1] != prior.means.shape[1]:
        raise ValueError(f"the noise has {noise.normal.shape[1]} dimensions, the prior {prior.means.shape[1]}")
    chosen = np.searchsorted(prior.weights.cumsum()[:-1], noise.uniform, side="right")
    latents = np.empty(noise.normal.shape, np.float32)
    for component in np.unique(chosen):
        rows = chosen == component
        latents[rows] = prior.means[component] + temperature * noise.normal[rows] @ prior.factors[component]
    return latents
