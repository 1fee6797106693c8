"""Every metric once: what it means, which direction is better, and where it comes from."""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """A key of metrics/<model>.json or details/<model>.json."""

    name: str
    better: Literal["lower", "higher", "neither"]
    unit: str
    meaning: str
    source: str = ""


PRIOR_MEANINGS = {  # by the names of `priors.PRIORS`
    "normal": "N(0, I)",
    "gaussian": "one Gaussian fitted to the training codes",
    "gmm": "a mixture of Gaussians fitted to the training codes (Ghosh et al. 2020)",
}

# Measured once for each prior, which its name then ends with.
PER_PRIOR = (
    Metric(
        "prior_acceptance",
        "higher",
        "share",
        "completeness: decoded samples of {prior} of which the classifier is sure: its confidence reaches the threshold "
        "that a share `classifier.real_acceptance` of the real validation images reaches. It is sure of much that is no "
        "digit, too (`blend_acceptance`): read it beside coverage",
    ),
    Metric(
        "coverage",
        "higher",
        "share",
        "completeness: test images (as many as samples, `latent_space.coverage_samples`, evenly spread) that have a "
        "decoded sample of {prior} within the distance, in the classifier's features, to their k-th nearest of these "
        "test images (`latent_space.coverage_neighbors`)",
        "Naeem et al. 2020, eq. 9",
    ),
    Metric(
        "classifier_fid",
        "lower",
        "1",
        "completeness: Frechet distance between decoded samples of {prior} and test images in the classifier's "
        "features over their spread; not comparable with FIDs of papers",
        "Heusel et al. 2017, eq. 6",
    ),
    Metric(
        "walk_acceptance",
        "higher",
        "share",
        "both: decoded frames of straight walks between two samples of {prior} of which the classifier is sure",
    ),
)

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
        "KL(q(z|x) || N(0, I)) on grey images, summed over dimensions: an upper bound on what the latent says about the image",
        "Kingma & Welling 2014, app. B",
    ),
    Metric("kl_per_dimension", "neither", "nats per image", "kl_divergence of every latent dimension by itself"),
    Metric(
        "active_units",
        "higher",
        "dimensions",
        "dimensions whose posterior mean varies over the test set (variance above `evaluate.active_variance`)",
        "Burda et al. 2016",
    ),
    Metric(
        "elbo",
        "higher",
        "nats per image",
        "evidence lower bound of `evaluate.iwae_images` binarised images, Bernoulli likelihood, mean over k samples",
        "Kingma & Welling 2014, eq. 3",
    ),
    Metric(
        "nll",
        "lower",
        "nats per image",
        "importance-weighted bound on -log p(x) of the same binarised images, k = `evaluate.iwae_samples`",
        "Burda et al. 2016, eq. 8",
    ),
    Metric(
        "nll_gmm",
        "lower",
        "nats per image",
        "completeness: nll of the same VAE with the mixture fitted to the training codes for a prior; "
        "what N(0, I) costs is nll - nll_gmm",
        "Hoffman & Johnson 2016",
    ),
    Metric(
        "knn_accuracy",
        "higher",
        "share",
        "test images whose nearest training codes (`evaluate.neighbors`) vote for the right digit",
    ),
    Metric(
        "linear_probe_accuracy",
        "higher",
        "share",
        "test images whose digit a logistic regression, fitted to the training codes, reads from their codes",
        "Alain & Bengio 2017",
    ),
    Metric(
        "normalized_path_length",
        "lower",
        "1",
        "continuity: mean squared move of the classifier's features F when a test code m takes a small step, "
        "E|F(D(m + e s u)) - F(D(m))|^2 / (e^2 V), u from N(0, I), e = `latent_space.step`, s the codes' standard deviation, V the mean "
        "squared distance of F between reconstructions of random pairs; 1 / e^2 means as far apart as those",
        "Karras et al. 2019, section 4.1, normalised",
    ),
    Metric(
        "label_flip_rate", "lower", "share", "continuity: test codes whose decoded digit changes on that small step"
    ),
    Metric(
        "normalized_path_length_iqr",
        "lower",
        "1",
        "normalized_path_length, s the interquartile range of the codes over 1.349 (of a Gaussian, its standard "
        "deviation): the outermost codes do not stretch this step",
    ),
    Metric("label_flip_rate_iqr", "lower", "share", "label_flip_rate on that step"),
    Metric(
        "midpoint_acceptance",
        "higher",
        "share",
        "continuity: decoded midpoints between the codes of two test images of which the classifier is sure (see "
        "`prior_acceptance`)",
    ),
    *(
        replace(metric, name=f"{metric.name}_{prior}", meaning=metric.meaning.format(prior=words))
        for prior, words in PRIOR_MEANINGS.items()
        for metric in PER_PRIOR
    ),
    Metric("classifier_fid_reconstruction", "lower", "1", "classifier_fid of the reconstructed test images"),
    Metric(
        "mmd",
        "lower",
        "1",
        "distance between codes (of a VAE: draws from the posterior) and N(0, I): squared maximum mean discrepancy, "
        "unbiased, inverse multiquadric kernels",
        "Tolstikhin et al. 2018",
    ),
    Metric("classifier_accuracy", "higher", "share", "of real test images: how far the classifier can be trusted"),
    Metric(
        "blend_acceptance",
        "lower",
        "share",
        "pixel averages of two test images of different digits of which the classifier is sure: what acceptance does "
        "not tell from a digit",
    ),
    Metric("noise_acceptance", "lower", "share", "images of uniform noise of which the classifier is sure"),
    Metric(
        "explained_variance_ratio",
        "higher",
        "share",
        "of PCA: share of the training images' variance along every component",
    ),
    Metric("parameters", "neither", "numbers", "weights and biases; of PCA, mean and components"),
)
