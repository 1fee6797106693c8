"""How well exported models draw images again: errors, where an error stands among others, draws from the posterior."""

import numpy as np
from jaxtyping import Float, Float32

from autoencoder.exported import ExportedModel
from autoencoder.priors import draw_noise


def mean_squared_errors(
    images: Float[np.ndarray, "n 28 28"], reconstructions: Float[np.ndarray, "n 28 28"]
) -> Float[np.ndarray, " n"]:
    """The error of each image, over its pixels."""
    return np.square(reconstructions - images).mean(axis=(1, 2))


def share_below(error: float | np.floating, errors: Float[np.ndarray, " n"]) -> float:
    """The share of errors that are smaller than this one."""
    return float((errors < error).mean())


def reconstruct(
    model: ExportedModel, images: Float[np.ndarray, "n 28 28"], posterior_seed: int | None = None
) -> Float32[np.ndarray, "n 28 28"]:
    """Every image decoded from its latent.

    Args:
        model: what encodes and decodes.
        images: intensities in [0, 1].
        posterior_seed: of a VAE decode a draw from the posterior, with this noise, instead of its mean.
    """
    encoding = model.encode(images)
    latents = encoding.mean
    deviations = encoding.deviations
    if posterior_seed is not None and deviations is not None:
        noise = draw_noise(len(latents), latents.shape[1], posterior_seed).normal
        latents = (latents + deviations * noise).astype(np.float32)
    return model.decode(latents)
