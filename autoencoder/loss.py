"""What a training minimises, as its section of params.yaml asks for it."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from autoencoder.models import AE, PIXELS, VAE
from autoencoder.objectives import (
    bernoulli_nll,
    gaussian_nll,
    importance_weighted_bound,
    kl_divergence,
    log_importance_weight,
    reparameterize,
)
from autoencoder.recipe import AETraining, ArticleTraining, NetworkTraining, VAETraining


def training_loss(
    model: AE | VAE,
    params: NetworkTraining,
    image: Float[Tensor, "batch 1 28 28"],
    noise: Float[Tensor, "samples batch _"],
    kl_weight: Float[Tensor, "*scalar"],
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Loss, reconstruction term and KL term of every image.

    The loss of a VAE is the weighted sum of the two terms with one sample of noise, the importance-weighted bound with
    more (Burda et al. 2016, eq. 8). Its units are nats, but for the article's networks, whose terms are means over
    pixels.
    """
    if not isinstance(model, VAE):
        reconstruction = _reconstruction(params, model.decoder(model.encode(image)), image)
        return reconstruction, reconstruction, torch.zeros(len(image), device=image.device)
    posterior = model.posterior(image)
    one = len(noise) == 1
    logits = model.decoder(reparameterize(posterior, noise[0] if one else noise))
    by_sample = _reconstruction(params, logits, image.expand_as(logits))
    kl = kl_divergence(posterior)
    if isinstance(params, ArticleTraining):
        kl = kl / PIXELS
    if one:
        return by_sample + kl_weight * kl, by_sample, kl
    log_weights = log_importance_weight(posterior, noise, by_sample, kl_weight)
    return -importance_weighted_bound(log_weights), by_sample.mean(0), kl


def _reconstruction(
    params: NetworkTraining, logits: Float[Tensor, "*batch 1 28 28"], image: Float[Tensor, "*batch 1 28 28"]
) -> Float[Tensor, " *batch"]:
    match params:
        case ArticleTraining():
            return functional.mse_loss(torch.sigmoid(logits), image, reduction="none").flatten(-3).mean(-1)
        case AETraining(likelihood="bernoulli") | VAETraining(likelihood="bernoulli"):
            return bernoulli_nll(logits, image)
        case _:
            return gaussian_nll(logits, image)
