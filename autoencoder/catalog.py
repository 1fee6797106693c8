"""Every metric once: what it means, which direction is better, and where it comes from."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """A key of metrics/<model>.json."""

    name: str
    better: Literal["lower", "higher", "neither"]
    unit: str
    meaning: str
    source: str = ""


METRICS = (
    Metric(
        "reconstruction_mse",
        "lower",
        "squared intensity",
        "mean over pixels of (reconstruction - image)^2, intensities in [0, 1], decoding the latent "
        "(of a VAE: the posterior mean)",
    ),
    Metric(
        "reconstruction_bce",
        "lower",
        "nats per image",
        "cross-entropy of grey pixels, summed; probabilities clamped to [1e-6, 1 - 1e-6]; "
        "its floor is the pixels' own entropy, 45.5 on MNIST",
    ),
    Metric("ssim", "higher", "1", "structural similarity of image and reconstruction", "Wang et al. 2004"),
    Metric(
        "train_reconstruction_mse",
        "lower",
        "squared intensity",
        "reconstruction_mse on 10,000 training images: what overfitting would hide",
    ),
    Metric(
        "kl_divergence",
        "neither",
        "nats per image",
        "KL(q(z|x) || N(0, I)) on grey images, summed over dimensions: what the latent says about the image",
        "Kingma & Welling 2014, app. B",
    ),
    Metric(
        "active_units",
        "higher",
        "dimensions",
        "dimensions whose posterior mean varies (variance > 0.01) over the test set",
        "Burda et al. 2016",
    ),
    Metric(
        "elbo",
        "higher",
        "nats per image",
        "evidence lower bound of binarised images, Bernoulli likelihood, mean over k samples",
        "Kingma & Welling 2014, eq. 3",
    ),
    Metric(
        "nll",
        "lower",
        "nats per image",
        "importance-weighted bound on -log p(x) of the same binarised images, k = 200",
        "Burda et al. 2016, eq. 8",
    ),
    Metric("knn_accuracy", "higher", "share", "test images whose 5 nearest training codes vote for the right digit"),
    Metric("parameters", "neither", "numbers", "weights and biases; of PCA, mean and components"),
)
