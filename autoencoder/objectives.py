"""What is minimised and bounded, per example and in nats: sums over pixels and latent dimensions, never means.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes"; Burda et al. 2016, "Importance Weighted Autoencoders".
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

MIN_VARIANCE = 1e-4  # of the Gaussian likelihood: a pixel's rounding to 1/255 has 1.3e-6


@dataclass(frozen=True)
class Gaussian:
    """A diagonal Gaussian over latents."""

    mean: Float[Tensor, "*batch latent_dim"]
    log_var: Float[Tensor, "*batch latent_dim"]


def reparameterize(
    posterior: Gaussian, noise: Float[Tensor, "*sample latent_dim"]
) -> Float[Tensor, "*sample latent_dim"]:
    """A sample of the posterior, differentiable in it, from noise ~ N(0, I) (Kingma & Welling 2014, section 2.4)."""
    return posterior.mean + torch.exp(0.5 * posterior.log_var) * noise


def kl_per_dimension(posterior: Gaussian) -> Float[Tensor, "*batch latent_dim"]:
    """KL(posterior || N(0, I)) of every latent dimension (Kingma & Welling 2014, appendix B)."""
    return 0.5 * (posterior.mean.square() + posterior.log_var.exp() - posterior.log_var - 1)


def kl_divergence(posterior: Gaussian) -> Float[Tensor, " *batch"]:
    """KL(posterior || N(0, I)), summed over latent dimensions."""
    return kl_per_dimension(posterior).sum(-1)


def bernoulli_nll(
    logits: Float[Tensor, "*batch 1 28 28"], image: Float[Tensor, "*#batch 1 28 28"]
) -> Float[Tensor, " *batch"]:
    """-log p(image | latent) with Bernoulli pixels of these logits; on grey pixels the usual cross-entropy.

    Its floor on grey pixels is their own entropy (45.5 nats a test image of MNIST), not 0.
    """
    return (functional.softplus(logits) - image * logits).flatten(-3).sum(-1)


def gaussian_nll(
    logits: Float[Tensor, "*batch 1 28 28"], image: Float[Tensor, "*batch 1 28 28"]
) -> Float[Tensor, " *batch"]:
    """-log p(image | latent) with Gaussian pixels around sigmoid(logits), one shared variance at its optimum.

    The variance that maximises the likelihood of a batch is the batch's mean squared error (Rybkin et al. 2021,
    "Simple and Effective VAE Training with Calibrated Decoders", eq. 5), so there is no scale to tune.
    """
    squared_error = functional.mse_loss(torch.sigmoid(logits), image, reduction="none")
    variance = squared_error.mean().clamp(min=MIN_VARIANCE)
    return 0.5 * (squared_error / variance + torch.log(2 * math.pi * variance)).flatten(-3).sum(-1)


def log_importance_weight(
    posterior: Gaussian,
    noise: Float[Tensor, "*sample latent_dim"],
    reconstruction_nll: Float[Tensor, " *sample"],
    kl_weight: float | Float[Tensor, "*scalar"] = 1.0,
) -> Float[Tensor, " *sample"]:
    """Log p(image, z) - log q(z | image) at z = reparameterize(posterior, noise); the constants 2 pi cancel.

    A `kl_weight` other than 1 weighs log p(z) - log q(z | image), whose negative mean is the KL term.
    """
    latent = reparameterize(posterior, noise)
    log_ratio = 0.5 * (noise.square() + posterior.log_var - latent.square()).sum(-1)
    return kl_weight * log_ratio - reconstruction_nll


def importance_weighted_bound(log_weights: Float[Tensor, "k *batch"]) -> Float[Tensor, " *batch"]:
    """The bound on log p(image) from k samples: at least the ELBO, tighter with k (Burda et al. 2016, eq. 8)."""
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))
