"""Ex-post density estimation: where the training codes lie, fitted after training (Ghosh et al. 2020).

An autoencoder does not tell; a VAE says N(0, I), which its codes keep to only in part. One Gaussian and a mixture of
them say it well enough to sample, and to measure what the mismatch costs.
"""

import math
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from pydantic import Field, field_validator
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits
from torch import Tensor

from autoencoder.config import ParameterError, Section
from autoencoder.models import AE, PCA, VAE
from autoencoder.objectives import Gaussian, reparameterize
from autoencoder.priors import Prior

SEED = 20200430  # fixed; the day that paper was presented
SMALLEST_VARIANCE = 1e-6  # added to every direction: dead units have none of their own
ENCODED_AT_ONCE = 1000  # images
WEIGHED_AT_ONCE = {"cpu": 500, "cuda": 5_000}  # latents: on a CPU few enough for the cache, which halves the time


class DensityParams(Section):
    """The section `density` of params.yaml."""

    components: Annotated[int, Field(ge=1)]
    codes: Annotated[int, Field(ge=100)]

    @field_validator("codes")
    @classmethod
    def _enough(cls, codes: int, others: Any) -> int:
        if codes < (components := others.data.get("components", 0)):
            raise ValueError(f"at least as many as density.components, {components}")
        return codes


@torch.no_grad()
def draw_codes(
    model: PCA | AE | VAE, image: Float[Tensor, "n 1 28 28"], noise: Float64[np.ndarray, "n latent_dim"]
) -> Float64[np.ndarray, "n latent_dim"]:
    """The latents of images, of a VAE one draw from each posterior, as the decoder gets them in training.

    The draws are distributed as the aggregated posterior, which N(0, I) is to match (Hoffman & Johnson 2016): that of
    grey images, also where training binarises them.
    """
    codes = []
    for part, random in zip(image.split(ENCODED_AT_ONCE), torch.from_numpy(noise).split(ENCODED_AT_ONCE), strict=True):
        if isinstance(model, VAE):
            posterior: Gaussian = model.posterior(part)
            codes.append(reparameterize(posterior, random.float().to(part.device)))
        else:
            codes.append(model.encode(part))
    return torch.cat(codes).double().cpu().numpy()


def fit_gaussian(codes: Float64[np.ndarray, "n latent_dim"]) -> dict[str, np.ndarray]:
    """`train_mean` and `train_covariance`."""
    dim = codes.shape[1]
    return {"train_mean": codes.mean(0), "train_covariance": np.cov(codes, rowvar=False).reshape(dim, dim)}


def fit_mixture(params: DensityParams, codes: Float64[np.ndarray, "n latent_dim"]) -> dict[str, np.ndarray]:
    """`mixture_weights`, `mixture_means` and full `mixture_covariances`, by expectation maximisation.

    Fitted to the first `params.codes` rows: the training split is shuffled already.

    Raises:
        ParameterError: there are fewer codes than components.
    """
    if params.components > len(codes):
        raise ParameterError(
            f"params.yaml: density.components = {params.components}: expected at most the {len(codes)} training images"
        )
    mixture = GaussianMixture(params.components, random_state=SEED, reg_covar=SMALLEST_VARIANCE, max_iter=300)
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):  # more threads wait for each other: slower
        # of codes that lie on fewer points than components: dead models have a prior too
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(codes[: params.codes])
    order = np.argsort(-mixture.weights_, kind="stable")
    return {
        "mixture_weights": mixture.weights_[order],
        "mixture_means": mixture.means_[order],
        "mixture_covariances": mixture.covariances_[order],
    }


def log_density(prior: Prior, device: torch.device) -> Callable[[Tensor], Float[Tensor, " *batch"]]:
    """The function that gives latents [*batch, latent_dim] their log density under a prior, in nats.

    Args:
        prior: every component must have variance in every direction.
        device: of the latents.
    """
    dim = prior.means.shape[1]
    whitening = np.linalg.inv(prior.factors)
    volume = np.linalg.slogdet(whitening)[1] - 0.5 * dim * math.log(2 * math.pi)
    share = torch.log(torch.from_numpy(prior.weights)) + torch.from_numpy(volume)
    # all components at once: one matrix product gives what each of them sees of a latent
    weight = torch.from_numpy(whitening.reshape(-1, dim)).float().to(device)
    bias = torch.from_numpy((whitening @ prior.means[:, :, None]).ravel()).float().to(device)
    constant = share.float().to(device)

    def density(latent: Float[Tensor, "*batch latent_dim"]) -> Float[Tensor, " *batch"]:
        parts = []
        for part in latent.reshape(-1, dim).split(WEIGHED_AT_ONCE[device.type]):
            squares = torch.nn.functional.linear(part, weight, -bias).square_().unflatten(-1, (len(constant), dim))
            parts.append(torch.logsumexp(constant - 0.5 * squares.sum(-1), -1))
        return torch.cat(parts).view(latent.shape[:-1])

    return density
