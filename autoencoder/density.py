"""Ex-post density estimation: what the training codes look like, fitted after training (Ghosh et al. 2020).

Where codes lie is what an autoencoder does not tell; one Gaussian and a mixture of them say it well enough to sample.
"""

import warnings
from typing import Annotated

import numpy as np
from jaxtyping import Float64
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from autoencoder.config import Section

SEED = 20200430  # fixed; the day that paper was presented
SMALLEST_VARIANCE = 1e-6  # added to every direction: dead units have none of their own


class DensityParams(Section):
    """The section `density` of params.yaml."""

    components: Annotated[int, Field(ge=1)]
    codes: Annotated[int, Field(ge=100)]


def fit_gaussian(codes: Float64[np.ndarray, "n latent_dim"]) -> dict[str, np.ndarray]:
    """`train_mean` and `train_covariance`."""
    dim = codes.shape[1]
    return {"train_mean": codes.mean(0), "train_covariance": np.cov(codes, rowvar=False).reshape(dim, dim)}


def fit_mixture(params: DensityParams, codes: Float64[np.ndarray, "n latent_dim"]) -> dict[str, np.ndarray]:
    """`mixture_weights`, `mixture_means` and full `mixture_covariances`, by expectation maximisation.

    Fitted to the first `params.codes` rows: the training split is shuffled already.
    """
    mixture = GaussianMixture(params.components, random_state=SEED, reg_covar=SMALLEST_VARIANCE, max_iter=300)
    with warnings.catch_warnings():  # of codes that lie on fewer points than components: dead models have a prior too
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(codes[: params.codes])
    order = np.argsort(-mixture.weights_, kind="stable")
    return {
        "mixture_weights": mixture.weights_[order],
        "mixture_means": mixture.means_[order],
        "mixture_covariances": mixture.covariances_[order],
    }
