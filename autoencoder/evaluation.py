"""What a trained model is worth on images it has never seen. Every figure is a mean over the test split.

catalog.py says of each metric what it means, which direction is better and where it comes from.
"""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from autoencoder.config import Section
from autoencoder.data import Split
from autoencoder.images import to_unit_interval
from autoencoder.models import AE, PCA, VAE, Model
from autoencoder.objectives import (
    Gaussian,
    bernoulli_nll,
    importance_weighted_bound,
    kl_divergence,
    log_importance_weight,
    reparameterize,
)

BINARIZATION_SEED = 20080601  # fixed, like every seed here: the training seed must not move the measuring instrument
IWAE_SEED = 20150901
PROBABILITY_FLOOR = 1e-6  # of reconstruction_bce: a pixel that is surely wrong costs 13.8 nats, not infinity
ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2
TRAIN_IMAGES = 10_000  # of train_reconstruction_mse
DECODED_AT_ONCE = 4_000  # latents; about 12 MB of pixels, which stay in the CPU's cache better than more


class EvaluateParams(Section):
    """The section `evaluate` of params.yaml."""

    batch_size: Annotated[int, Field(ge=1)]
    iwae_samples: Annotated[int, Field(ge=1)]
    neighbors: Annotated[int, Field(ge=1)]


@torch.no_grad()
def evaluate(model: PCA | AE | VAE, params: EvaluateParams, train: Split, test: Split) -> dict[str, float]:
    """All metrics of a model, by name."""
    metrics = reconstruction_metrics(model, params.batch_size, test)
    seen = reconstruction_metrics(model, params.batch_size, train.head(TRAIN_IMAGES), only_mse=True)
    metrics["train_reconstruction_mse"] = seen["reconstruction_mse"]
    metrics["knn_accuracy"] = knn_accuracy(model, params, train, test)
    metrics["parameters"] = count_parameters(model)
    if isinstance(model, VAE):
        metrics |= posterior_metrics(model, params.batch_size, test)
        metrics |= likelihood_bounds(model, params.iwae_samples, test)
    return metrics


def reconstruction_metrics(model: Model, batch_size: int, split: Split, only_mse: bool = False) -> dict[str, float]:
    """`reconstruction_mse`, `reconstruction_bce`, `ssim`, decoding the latent (of a VAE: the posterior mean)."""
    # imported here because it takes seconds, and whoever checks parameters needs only this module's schema
    from torchmetrics.functional.image import structural_similarity_index_measure

    sums = (
        {"reconstruction_mse": 0.0} if only_mse else {"reconstruction_mse": 0.0, "reconstruction_bce": 0.0, "ssim": 0.0}
    )
    for image in _batches(split, batch_size):
        reconstruction = model.decode(model.encode(image))
        sums["reconstruction_mse"] += (reconstruction - image).square().flatten(1).mean(1).double().sum().item()
        if only_mse:
            continue
        logits = torch.logit(reconstruction, eps=PROBABILITY_FLOOR)
        sums["reconstruction_bce"] += bernoulli_nll(logits, image).double().sum().item()
        similarity = structural_similarity_index_measure(reconstruction, image, data_range=1.0, reduction="none")
        assert isinstance(similarity, Tensor)
        sums["ssim"] += similarity.double().sum().item()
    return {name: value / len(split) for name, value in sums.items()}


def posterior_metrics(model: VAE, batch_size: int, split: Split) -> dict[str, float]:
    """`kl_divergence` on grey images, and `active_units`."""
    posteriors = [model.posterior(image) for image in _batches(split, batch_size)]
    posterior = Gaussian(torch.cat([p.mean for p in posteriors]), torch.cat([p.log_var for p in posteriors]))
    variances = posterior.mean.double().var(0)
    return {
        "kl_divergence": kl_divergence(posterior).double().mean().item(),
        "active_units": int((variances > ACTIVE_VARIANCE).sum()),
    }


def likelihood_bounds(model: VAE, samples: int, split: Split) -> dict[str, float]:
    """`elbo` and `nll`: bounds on log p of binarised images, from the same k samples, so that nll <= -elbo.

    The likelihood is Bernoulli with the decoder's mean, whatever the model was trained with, so that models compare.
    """
    image = binarize(split)
    noise_source = torch.Generator().manual_seed(IWAE_SEED)  # on the CPU, so that every device measures with one noise
    elbo_sum = bound_sum = 0.0
    for chunk in image.split(max(1, DECODED_AT_ONCE // samples)):
        noise = torch.randn(samples, len(chunk), model.latent_dim, generator=noise_source).to(image.device)
        posterior = model.posterior(chunk)
        logits = model.decoder(reparameterize(posterior, noise))
        log_weights = log_importance_weight(posterior, noise, bernoulli_nll(logits, chunk)).double()
        elbo_sum += log_weights.mean(0).sum().item()
        bound_sum += importance_weighted_bound(log_weights).sum().item()
    return {"elbo": elbo_sum / len(split), "nll": -bound_sum / len(split)}


def binarize(split: Split) -> Float[Tensor, "n 1 28 28"]:
    """The split's images as 0 and 1, every pixel drawn once with its grey value as the probability."""
    draws = torch.rand(split.images.shape, generator=torch.Generator().manual_seed(BINARIZATION_SEED))
    return (draws.to(split.images.device) < to_unit_interval(split.images)).float()


def knn_accuracy(model: Model, params: EvaluateParams, train: Split, test: Split) -> float:
    """Share of test images whose nearest training codes carry, by majority, the right label."""
    classifier = KNeighborsClassifier(n_neighbors=params.neighbors)
    classifier.fit(encode(model, params.batch_size, train), train.labels.cpu().numpy())
    return float(classifier.score(encode(model, params.batch_size, test), test.labels.cpu().numpy()))


def encode(model: Model, batch_size: int, split: Split) -> Float[np.ndarray, "n latent_dim"]:
    """The latents of a split."""
    return torch.cat([model.encode(image) for image in _batches(split, batch_size)]).cpu().numpy()


def count_parameters(model: PCA | AE | VAE) -> int:
    """How many numbers the fit has set: weights and biases; of PCA, mean and components."""
    if isinstance(model, PCA):
        return model.mean.numel() + model.components.numel()
    return sum(parameter.numel() for parameter in model.parameters())


def _batches(split: Split, batch_size: int) -> Iterator[Float[Tensor, "batch 1 28 28"]]:
    for images in split.images.split(batch_size):
        yield to_unit_interval(images)
