"""What a trained model is worth on images it has never seen. Means over the test split, unless a name says otherwise.

catalog.py says of each metric what it means, which direction is better and where it comes from.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from pytorch_msssim import ssim
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import Tensor

from autoencoder.config import ParameterError, Section
from autoencoder.data import Split
from autoencoder.density import log_density
from autoencoder.images import to_unit_interval
from autoencoder.models import AE, PCA, VAE, Model
from autoencoder.objectives import (
    Gaussian,
    bernoulli_nll,
    importance_weighted_bound,
    kl_per_dimension,
    log_importance_weight,
    reparameterize,
)
from autoencoder.priors import Prior, standard_normal
from autoencoder.subsets import evenly_spread

PROBABILITY_FLOOR = 1e-6  # of reconstruction_bce: a pixel that is surely wrong costs 13.8 nats, not infinity
TRAIN_IMAGES = 10_000  # of train_reconstruction_mse
DRAWN_AT_ONCE = 4_000  # latents drawn at once for a likelihood; another number means other noise
# of those, or of images: on a CPU what a decoder makes of them on the way is to fit the cache, a GPU is to be busy
DECODED_AT_ONCE = {"cpu": 500, "cuda": 2_000}
# of linear_probe_accuracy: until the fit no longer depends on how a processor rounds, some 150 iterations
PROBE = {"tol": 1e-8, "max_iter": 1000}

Figures = dict[str, float | int | list[float]]
Watch = Callable[[Sequence[Tensor]], Iterable[Tensor]]


class EvaluateParams(Section):
    """The section `evaluate` of params.yaml."""

    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    iwae_samples: Annotated[int, Field(ge=1)]
    iwae_images: Annotated[int, Field(ge=1)]
    neighbors: Annotated[int, Field(ge=1)]
    active_variance: Annotated[float, Field(ge=0)]
    noise_seed: Annotated[int, Field(ge=0, lt=2**62)]


@torch.no_grad()
def evaluate(
    model: PCA | AE | VAE,
    params: EvaluateParams,
    train: Split,
    test: Split,
    mixture: Prior | None = None,
    watch: Watch = iter,
) -> Figures:
    """All metrics of a model, by name; a list has one value per latent dimension.

    Args:
        model: in evaluation mode.
        params: how it is measured.
        train: what it was trained on.
        test: what it is measured on.
        mixture: fitted to the training codes; a VAE gets `nll_gmm` with it.
        watch: passes on the images whose likelihood is measured, some at a time: for a bar, since that may take hours.

    Raises:
        ParameterError: more neighbours are asked for than there are training images.
    """
    metrics: Figures = {**reconstruction_metrics(model, params.batch_size, test)}
    metrics["train_reconstruction_mse"] = reconstruction_mse(model, params.batch_size, train.head(TRAIN_IMAGES))
    metrics |= code_metrics(model, params, train, test)
    metrics["active_units"] = active_units(encode(model, params.batch_size, test), params)
    metrics["parameters"] = count_parameters(model)
    if isinstance(model, PCA):
        metrics["explained_variance_ratio"] = model.explained_variance_ratio.tolist()
    if isinstance(model, VAE):
        metrics["reconstruction_mse_sampled"] = sampled_reconstruction_mse(model, params, test)
        metrics |= posterior_metrics(model, params, test)
        metrics |= likelihood_bounds(model, params, test, mixture, watch)
    return metrics


def activity(metrics: Mapping[str, Any], codes: Float[np.ndarray, "n latent_dim"]) -> tuple[np.ndarray, str]:
    """What each latent dimension carries, and its unit: KL of a VAE, explained variance of PCA, else the spread."""
    if "kl_per_dimension" in metrics:
        return np.array(metrics["kl_per_dimension"]), "KL (nats per image)"
    if "explained_variance_ratio" in metrics:
        return np.array(metrics["explained_variance_ratio"]), "share of the images' variance"
    return codes.std(0), "standard deviation of the codes"


def reconstruction_metrics(model: Model, batch_size: int, split: Split) -> dict[str, float]:
    """`reconstruction_mse`, `reconstruction_bce`, `ssim`, decoding the latent (of a VAE: the posterior mean)."""
    sums = {"reconstruction_mse": 0.0, "reconstruction_bce": 0.0, "ssim": 0.0}
    for image in _batches(split, batch_size):
        reconstruction = model.decode(model.encode(image))
        sums["reconstruction_mse"] += _summed_mse(reconstruction, image)
        logits = torch.logit(reconstruction, eps=PROBABILITY_FLOOR)
        sums["reconstruction_bce"] += bernoulli_nll(logits, image).double().sum().item()
        # windows inside the image alone: those over its edge would be, of digits on black, nearly all 1
        similarity = ssim(reconstruction, image, data_range=1.0, size_average=False)
        sums["ssim"] += similarity.double().sum().item()
    return {name: value / len(split) for name, value in sums.items()}


def reconstruction_mse(model: Model, batch_size: int, split: Split) -> float:
    """That one of the `reconstruction_metrics`."""
    errors = (_summed_mse(model.decode(model.encode(image)), image) for image in _batches(split, batch_size))
    return sum(errors) / len(split)


def sampled_reconstruction_mse(model: VAE, params: EvaluateParams, split: Split) -> float:
    """`reconstruction_mse_sampled`: as in training, a draw from the posterior is decoded and not its mean."""
    noise_source = torch.Generator().manual_seed(params.noise_seed + 2)  # on the CPU: one noise on every device
    noise = torch.randn(len(split), model.latent_dim, generator=noise_source).to(split.images.device)
    total = 0.0
    parts = noise.split(_at_once(params.batch_size, noise.device))
    for image, random in zip(_batches(split, params.batch_size), parts, strict=True):
        reconstruction = model.decode(reparameterize(model.posterior(image), random))
        total += _summed_mse(reconstruction, image)
    return total / len(split)


def _summed_mse(reconstruction: Float[Tensor, "batch 1 28 28"], image: Float[Tensor, "batch 1 28 28"]) -> float:
    """The mean squared error of every image, added up."""
    return (reconstruction - image).square().flatten(1).mean(1).double().sum().item()


def posterior_metrics(model: VAE, params: EvaluateParams, split: Split) -> Figures:
    """`kl_divergence` on grey images, as a whole and by dimension."""
    posteriors = [model.posterior(image) for image in _batches(split, params.batch_size)]
    posterior = Gaussian(torch.cat([p.mean for p in posteriors]), torch.cat([p.log_var for p in posteriors]))
    by_dimension = kl_per_dimension(posterior).double().mean(0)
    return {"kl_divergence": by_dimension.sum().item(), "kl_per_dimension": by_dimension.tolist()}


def active_units(codes: Float[np.ndarray, "n latent_dim"], params: EvaluateParams) -> int:
    """`active_units`: in how many dimensions the codes vary."""
    return int((codes.var(0, dtype=np.float64, ddof=1) > params.active_variance).sum())


def likelihood_bounds(
    model: VAE, params: EvaluateParams, split: Split, mixture: Prior | None = None, watch: Watch = iter
) -> dict[str, float]:
    """`elbo` and `nll`: bounds on log p of binarised images, from the same k samples, so that nll <= -elbo.

    With a mixture, `nll_gmm` is the nll of the model that has it for a prior, in the place of N(0, I).
    The likelihood is Bernoulli with the decoder's mean, whatever the model was trained with, so that models compare.
    The images are `iwae_images` of the split, evenly spread over it.
    """
    image = binarize(split, params.noise_seed)[evenly_spread(params.iwae_images, len(split))]
    samples = params.iwae_samples
    noise_source = torch.Generator().manual_seed(params.noise_seed + 1)  # on the CPU: one noise on every device
    log_normal = log_density(standard_normal(model.latent_dim), image.device)
    log_mixture = log_density(mixture, image.device) if mixture else None
    zero = torch.zeros((), dtype=torch.float64, device=image.device)
    sums = {"elbo": zero, "nll": zero} | ({"nll_gmm": zero} if mixture else {})
    for chunk in watch(image.split(max(1, DRAWN_AT_ONCE // samples))):
        noise = torch.randn(samples, len(chunk), model.latent_dim, generator=noise_source).to(image.device)
        posterior = model.posterior(chunk)
        latent = reparameterize(posterior, noise)
        log_weights = log_importance_weight(posterior, noise, _decoded_nll(model, latent, chunk)).double()
        sums["elbo"] = sums["elbo"] + log_weights.mean(0).sum()
        sums["nll"] = sums["nll"] - importance_weighted_bound(log_weights).sum()
        if log_mixture:
            likelier = log_mixture(latent) - log_normal(latent)
            sums["nll_gmm"] = sums["nll_gmm"] - importance_weighted_bound(log_weights + likelier).sum()
    return {name: value.item() / len(image) for name, value in sums.items()}


def _decoded_nll(
    model: VAE, latent: Float[Tensor, "k batch latent_dim"], image: Float[Tensor, "batch 1 28 28"]
) -> Float[Tensor, "k batch"]:
    """`bernoulli_nll` of every image and each of its latents, which are decoded some at a time."""
    samples_at_once = max(1, DECODED_AT_ONCE[image.device.type] // len(image))
    return torch.cat([bernoulli_nll(model.decoder(some), image) for some in latent.split(samples_at_once)])


def binarize(split: Split, seed: int) -> Float[Tensor, "n 1 28 28"]:
    """The split's images as 0 and 1, every pixel drawn once with its grey value as the probability."""
    draws = torch.rand(split.images.shape, generator=torch.Generator().manual_seed(seed))
    return (draws.to(split.images.device) < to_unit_interval(split.images)).float()


def code_metrics(model: Model, params: EvaluateParams, train: Split, test: Split) -> dict[str, float]:
    """`knn_accuracy` and `linear_probe_accuracy`: the labels of test images, read from their codes.

    Raises:
        ParameterError: more neighbours are asked for than there are training images.
    """
    if params.neighbors > len(train):
        raise ParameterError(
            f"params.yaml: evaluate.neighbors = {params.neighbors}: expected at most the {len(train)} training images"
        )
    readers = {
        "knn_accuracy": KNeighborsClassifier(n_neighbors=params.neighbors),
        "linear_probe_accuracy": make_pipeline(StandardScaler(), LogisticRegression(**PROBE)),
    }
    codes, test_codes = (encode(model, params.batch_size, split).astype(np.float64) for split in (train, test))
    labels, test_labels = train.labels.cpu().numpy(), test.labels.cpu().numpy()
    # products so small that more threads only wait for each other
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # of hundreds of dimensions, after so many iterations
        return {
            name: float(reader.fit(codes, labels).score(test_codes, test_labels)) for name, reader in readers.items()
        }


def encode(model: Model, batch_size: int, split: Split) -> Float[np.ndarray, "n latent_dim"]:
    """The latents of a split."""
    return torch.cat([model.encode(image) for image in _batches(split, batch_size)]).cpu().numpy()


def count_parameters(model: PCA | AE | VAE) -> int:
    """How many numbers the fit has set: weights and biases; of PCA, mean and components."""
    if isinstance(model, PCA):
        return model.mean.numel() + model.components.numel()
    return sum(parameter.numel() for parameter in model.parameters())


def _batches(split: Split, batch_size: int) -> Iterator[Float[Tensor, "batch 1 28 28"]]:
    for images in split.images.split(_at_once(batch_size, split.images.device)):
        yield to_unit_interval(images)


def _at_once(batch_size: int, device: torch.device) -> int:
    """So many images on a CPU, at least `DECODED_AT_ONCE` on a GPU, which takes as long for fewer."""
    return batch_size if device.type == "cpu" else max(batch_size, DECODED_AT_ONCE["cuda"])
