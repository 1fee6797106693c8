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
        "completeness: of `latent_space.samples` decoded samples of {prior}, the share that the classifier is sure of: its "
        "confidence reaches the threshold that a share `classifier.real_acceptance` of the real validation images reaches. "
        "It is sure of much that is no digit, too (`blend_acceptance`), and of a digit drawn again and again: read it "
        "beside digits_drawn and coverage",
    ),
    Metric(
        "digits_drawn",
        "higher",
        "digits",
        "completeness: effective number of digits among decoded samples of {prior}, sure or not: e to the entropy of "
        "what the classifier reads in them; 1 where it is always the same digit, 10 where all come equally often",
    ),
    Metric(
        "coverage",
        "higher",
        "share",
        "completeness: test images (`latent_space.coverage_samples` of them, evenly spread, and as many samples) with a "
        "decoded sample of {prior} no farther, in classifier features, than the k-th nearest of the others "
        "(k = `latent_space.coverage_neighbors`); two sets from one distribution: 1 - 1 / 2^k, 0.969 for k = 5",
        "Naeem et al. 2020, eq. 9",
    ),
    Metric(
        "classifier_fid",
        "lower",
        "1",
        "completeness: squared Frechet distance between `latent_space.samples` decoded samples of {prior} and as many test "
        "images in the classifier's features, each divided by its standard deviation over the training images (at least a "
        "tenth of the mean one); not comparable with FIDs of papers",
        "Heusel et al. 2017, eq. 6",
    ),
    Metric(
        "walk_acceptance",
        "higher",
        "share",
        "both: of the decoded frames of straight walks between two samples of {prior}, both ends included, the share that "
        "the classifier is sure of; the middles lie nearer to the prior's mean than samples do",
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
        "reconstruction_mse_sampled",
        "lower",
        "squared intensity",
        "reconstruction_mse of a VAE, decoding one draw from the posterior, as in training, in the place of its mean",
    ),
    Metric(
        "reconstruction_bce",
        "lower",
        "nats per image",
        "cross-entropy of grey pixels, summed; probabilities clamped to [1e-6, 1 - 1e-6]; "
        "its floor is the pixels' own entropy, 45.5 on MNIST",
    ),
    Metric(
        "ssim",
        "higher",
        "1",
        "structural similarity of image and reconstruction, mean over the Gaussian windows of 11 x 11 that lie inside",
        "Wang et al. 2004",
    ),
    Metric(
        "train_reconstruction_mse",
        "lower",
        "squared intensity",
        "reconstruction_mse on 10,000 training images; reconstruction_mse less this is overfitting plus what the sets differ by, "
        "which PCA shows, as it hardly overfits",
    ),
    Metric(
        "kl_divergence",
        "neither",
        "nats per image",
        "KL(q(z|x) || N(0, I)) of test images (grey ones), summed over dimensions: an upper bound on what the latent says "
        "about the image",
        "Kingma & Welling 2014, app. B",
    ),
    Metric("kl_per_dimension", "neither", "nats per image", "kl_divergence of every latent dimension by itself"),
    Metric(
        "active_units",
        "neither",
        "dimensions",
        "latent dimensions in use: those whose code (of a VAE: the posterior mean) varies over the test images (grey "
        "ones), its variance above `evaluate.active_variance`. A dimension whose posterior varies in its spread alone is "
        "not counted. Where nothing sets the scale of codes, in PCA and autoencoders, it finds those that are constant",
        "Burda et al. 2016",
    ),
    Metric(
        "elbo",
        "higher",
        "nats per image",
        "evidence lower bound of `evaluate.iwae_images` test images, binarised, with a Bernoulli likelihood, mean over "
        "`evaluate.iwae_samples` samples",
        "Kingma & Welling 2014, eq. 2",
    ),
    Metric(
        "nll",
        "lower",
        "nats per image",
        "importance-weighted bound on -log p(x) of `evaluate.iwae_images` test images, binarised, with a Bernoulli "
        "likelihood, k = `evaluate.iwae_samples`; more samples make it tighter. To compare with papers, train on binarised images, too",
        "Burda et al. 2016, eq. 8",
    ),
    Metric(
        "nll_gmm",
        "lower",
        "nats per image",
        "completeness: nll of the same VAE with the mixture fitted to the training codes for a prior; N(0, I) costs at "
        "least about nll - nll_gmm, since a finer mixture finds more",
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
        "squared distance of F between reconstructions of random pairs; 1 / e^2 means as far apart as those, 0.5 is that of a linear "
        "D and F where the dimensions of the codes are uncorrelated. Steps go along the code's own axes, which a VAE's "
        "prior singles out; an autoencoder's are arbitrary",
        "after the perceptual path length of Karras et al. 2019, section 4.1: other steps, points and features",
    ),
    Metric(
        "label_flip_rate",
        "lower",
        "share",
        "continuity: test codes whose decoded digit, as the classifier reads it, changes on the small step of "
        "normalized_path_length",
    ),
    Metric(
        "normalized_path_length_iqr",
        "lower",
        "1",
        "normalized_path_length, s the interquartile range of the codes over 1.349 (of a Gaussian, its standard "
        "deviation): the outermost codes do not stretch this step",
    ),
    Metric("label_flip_rate_iqr", "lower", "share", "label_flip_rate on the step of normalized_path_length_iqr"),
    Metric(
        "midpoint_acceptance",
        "higher",
        "share",
        "continuity: of the decoded midpoints between the codes of two test images, paired by chance (a tenth show the same digit), the share that the "
        "classifier is sure of (see `prior_acceptance`); `reconstruction_acceptance` is what its ends reach",
    ),
    Metric(
        "reconstruction_acceptance",
        "higher",
        "share",
        "of the reconstructed test images, the share that the classifier is sure of (see `prior_acceptance`): a yardstick "
        "for samples and midpoints of this decoder, no bound",
    ),
    *(
        replace(metric, name=f"{metric.name}_{prior}", meaning=metric.meaning.format(prior=words))
        for prior, words in PRIOR_MEANINGS.items()
        for metric in PER_PRIOR
    ),
    Metric(
        "coverage_reconstruction",
        "higher",
        "share",
        "coverage of test images by their own reconstructions: a yardstick for samples of this decoder, no bound",
    ),
    Metric(
        "classifier_fid_reconstruction",
        "lower",
        "1",
        "classifier_fid between the reconstructed test images and these images themselves, so that its floor is 0",
    ),
    Metric(
        "mmd",
        "lower",
        "1",
        "distance between codes (of a VAE: draws from the posterior) and N(0, I): squared maximum mean discrepancy, "
        "unbiased, sum over inverse multiquadric kernels of seven sizes; `latent_space.mmd_samples` of each",
        "Gretton et al. 2012, eq. 3; kernels: Tolstikhin et al. 2018",
    ),
    Metric("classifier_accuracy", "higher", "share", "of real test images: how far the classifier can be trusted"),
    Metric(
        "blend_acceptance",
        "lower",
        "share",
        "of the pixel averages of two test images of different digits, the share that the classifier is sure of: what "
        "acceptance does not tell from a digit",
    ),
    Metric(
        "noise_acceptance", "lower", "share", "of images of uniform noise, the share that the classifier is sure of"
    ),
    Metric(
        "explained_variance_ratio",
        "higher",
        "share",
        "of PCA: share of the training images' variance along every component",
    ),
    Metric("parameters", "neither", "numbers", "weights and biases; of PCA, mean and components"),
)
BY_NAME = {metric.name: metric for metric in METRICS}
