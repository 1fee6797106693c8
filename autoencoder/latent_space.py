"""Is a latent space continuous and complete? Small steps, walks and samples, decoded and judged by the classifier.

catalog.py says of each metric what it means, which direction is better and where it comes from.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from pydantic import Field, field_validator
from torch import Tensor

from autoencoder.classifier import JUDGED_AT_ONCE, Judge, Judgement
from autoencoder.config import ParameterError, Section
from autoencoder.data import Split
from autoencoder.density import draw_codes
from autoencoder.distances import coverage, frechet_distance, mmd
from autoencoder.images import to_unit_interval
from autoencoder.models import AE, PCA, VAE
from autoencoder.priors import PRIORS, Prior, draw_noise, sample, standard_normal
from autoencoder.subsets import evenly_spread

# What is drawn, each with a seed of its own: `latent_space.noise_seed` plus this.
SAMPLES, WALKS, STEPS, PAIRS, POSTERIOR, NOISE = range(6)

IQR = 1.349  # of a standard normal

Points = Float32[np.ndarray, "n features"]


class LatentSpaceParams(Section):
    """The section `latent_space` of params.yaml: how much is drawn, how far a small step goes."""

    samples: Annotated[int, Field(ge=2)]
    coverage_samples: Annotated[int, Field(ge=2)]
    coverage_neighbors: Annotated[int, Field(ge=1)]
    mmd_samples: Annotated[int, Field(ge=2)]
    walks: Annotated[int, Field(ge=1)]
    walk_frames: Annotated[int, Field(ge=3)]
    step: Annotated[float, Field(ge=1e-3, le=10)]  # a smaller one is lost in single precision
    noise_seed: Annotated[int, Field(ge=0, lt=2**62)]

    @field_validator("coverage_neighbors")
    @classmethod
    def _fewer(cls, neighbors: int, others: Any) -> int:
        for name in ("coverage_samples", "samples"):
            if neighbors >= (samples := others.data.get(name, math.inf)):
                raise ValueError(f"fewer than latent_space.{name}, {samples}")
        return neighbors


def judge_latent_space(
    model: PCA | AE | VAE,
    image: Float[Tensor, "n 1 28 28"],
    codes: Float32[np.ndarray, "n latent_dim"],
    priors: Mapping[str, Prior],
    judge: Judge,
    params: LatentSpaceParams,
) -> dict[str, float]:
    """All metrics of a model's latent space, by name.

    Args:
        model: in evaluation mode.
        image: test images in [0, 1].
        codes: their latents.
        priors: what to sample from, by name.
        judge: the classifier.
        params: how much is drawn.

    Raises:
        ParameterError: see `covered`.
    """
    codes = codes[evenly_spread(params.samples, len(codes))]
    real = judge(image).features
    reconstructed, originals = judge(_decode(model, codes)), _some(real, params.samples)
    return {
        **completeness(model, priors, judge, real, params),
        **continuity(model, codes, reconstructed, judge, params),
        "reconstruction_acceptance": float(reconstructed.accepted.mean()),
        "coverage_reconstruction": covered(originals, reconstructed.features, params),
        "classifier_fid_reconstruction": classifier_fid(judge, originals, reconstructed.features),
        "mmd": prior_mismatch(model, image, params),
    }


def completeness(
    model: PCA | AE | VAE, priors: Mapping[str, Prior], judge: Judge, real: Points, params: LatentSpaceParams
) -> dict[str, float]:
    """What `distribution_metrics` says of samples, and `walk_acceptance`, for every prior.

    Raises:
        ParameterError: see `covered`.
    """
    metrics: dict[str, float] = {}
    frames = torch.linspace(0, 1, params.walk_frames)[:, None, None]
    for name, prior in priors.items():
        latent = sample(prior, draw_noise(params.samples, model.latent_dim, params.noise_seed + SAMPLES))
        found = distribution_metrics(judge(_decode(model, latent)), judge, real, params)
        metrics |= {f"{metric}_{name}": value for metric, value in found.items()}
        ends = sample(prior, draw_noise(2 * params.walks, model.latent_dim, params.noise_seed + WALKS))
        start, end = torch.from_numpy(ends).chunk(2)
        walks = torch.lerp(start, end, frames).flatten(0, 1).numpy()
        metrics[f"walk_acceptance_{name}"] = float(judge(_decode(model, walks)).accepted.mean())
    return metrics


def reference(judge: Judge, validation: Split, test: Split, params: LatentSpaceParams) -> dict[str, float]:
    """What real images score in the place of generated ones, the floor or the ceiling of every metric.

    And what the classifier makes of images that are no digits. In the place of samples stand validation images, which
    have trained nothing; the classifier's threshold accepts the share of them that it was set by.

    Raises:
        ParameterError: see `covered`.
    """
    image = to_unit_interval(test.images)
    judged, real = judge(to_unit_interval(validation.head(params.samples).images)), judge(image)
    found = {
        **distribution_metrics(judged, judge, real.features, params),
        "walk_acceptance": float(real.accepted.mean()),
    }
    metrics = {f"{metric}_{name}": value for name in PRIORS for metric, value in found.items()}
    partner = torch.from_numpy(_partners(len(test), params)).to(image.device)
    blends = ((image + image[partner]) / 2)[test.labels != test.labels[partner]]
    noise = np.random.default_rng(params.noise_seed + NOISE).random(image.shape, np.float32)
    return metrics | {
        "midpoint_acceptance": float(real.accepted.mean()),
        "classifier_accuracy": float((real.label == test.labels.cpu().numpy()).mean()),
        "blend_acceptance": float(judge(blends).accepted.mean()),
        "noise_acceptance": float(judge(torch.from_numpy(noise).to(image.device)).accepted.mean()),
    }


def distribution_metrics(judged: Judgement, judge: Judge, real: Points, params: LatentSpaceParams) -> dict[str, float]:
    """How pictures compare with `real` ones as a set; real pictures here give the noise floor of each metric.

    Raises:
        ParameterError: see `covered`.
    """
    generated, many = judged.features, min(params.samples, len(real), len(judged.features))
    return {
        "prior_acceptance": float(judged.accepted.mean()),
        "digits_drawn": effective_number(judged.label),
        "coverage": covered(real, generated, params),
        "classifier_fid": classifier_fid(judge, _some(real, many), _some(generated, many)),
    }


def effective_number(label: Int[np.ndarray, " n"]) -> float:
    """How many labels there are, each counted by how often it comes: e to their entropy (Hill 1973, order 1)."""
    shares = np.unique(label, return_counts=True)[1] / len(label)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def covered(real: Points, generated: Float32[np.ndarray, "m features"], params: LatentSpaceParams) -> float:
    """`coverage` of as many real points as generated ones, both evenly spread.

    Raises:
        ParameterError: there are not more of them than neighbours asked for.
    """
    few = min(params.coverage_samples, len(real), len(generated))
    if params.coverage_neighbors >= few:
        raise ParameterError(
            f"params.yaml: latent_space.coverage_neighbors = {params.coverage_neighbors}: expected fewer than the {few} "
            "images that are compared"
        )
    return coverage(_some(real, few), _some(generated, few), params.coverage_neighbors)


def classifier_fid(judge: Judge, real: Points, generated: Float32[np.ndarray, "m features"]) -> float:
    """Frechet distance of features, each divided by its spread over the training images."""
    return frechet_distance(real / judge.feature_std, generated / judge.feature_std)


def continuity(
    model: PCA | AE | VAE,
    codes: Float32[np.ndarray, "n latent_dim"],
    here: Judgement,
    judge: Judge,
    params: LatentSpaceParams,
) -> dict[str, float]:
    """`normalized_path_length` and `label_flip_rate` of two kinds of step, and `midpoint_acceptance`.

    Args:
        model: in evaluation mode.
        codes: latents of images.
        here: what the classifier says of their reconstructions.
        judge: the classifier.
        params: how far a step goes.
    """
    partner = _partners(len(codes), params)
    apart = _squared_distances(here.features, here.features[partner]).mean()
    middles = judge(_decode(model, (codes + codes[partner]) / 2))
    metrics = {"midpoint_acceptance": float(middles.accepted.mean())}
    noise = draw_noise(len(codes), codes.shape[1], params.noise_seed + STEPS).normal.astype(np.float32)
    lower, upper = np.quantile(codes, (0.25, 0.75), axis=0)
    for kind, spread in (("", codes.std(0, dtype=np.float64)), ("_iqr", (upper - lower) / IQR)):
        there = judge(_decode(model, codes + params.step * spread.astype(np.float32) * noise))
        moved = _squared_distances(here.features, there.features).mean()
        # where all pictures are the same, a step goes as far as to any other of them
        metrics[f"normalized_path_length{kind}"] = float(moved / (params.step**2 * apart)) if apart else params.step**-2
        metrics[f"label_flip_rate{kind}"] = float((here.label != there.label).mean())
    return metrics


def prior_mismatch(model: PCA | AE | VAE, image: Float[Tensor, "n 1 28 28"], params: LatentSpaceParams) -> float:
    """`mmd`: how far the codes, of a VAE draws from the posterior, are from draws of N(0, I)."""
    image = image[evenly_spread(params.mmd_samples, len(image))]
    drawn, noise = (draw_noise(len(image), model.latent_dim, params.noise_seed + use) for use in (SAMPLES, POSTERIOR))
    prior = sample(standard_normal(model.latent_dim), drawn)
    return mmd(draw_codes(model, image, noise.normal), prior.astype(np.float64))


def _partners(count: int, params: LatentSpaceParams) -> Int[np.ndarray, " count"]:
    """For each of so many images one of them by chance, every one once."""
    return np.random.default_rng(params.noise_seed + PAIRS).permutation(count)


def _some(points: Points, count: int) -> Float32[np.ndarray, "some features"]:
    return points[evenly_spread(count, len(points))]


def _squared_distances(a: Points, b: Points) -> Float[np.ndarray, " n"]:
    return np.square(a.astype(np.float64) - b).sum(1)


@torch.no_grad()
def _decode(model: PCA | AE | VAE, latent: Float32[np.ndarray, "n latent_dim"]) -> Float[Tensor, "n 1 28 28"]:
    device = next(iter(model.state_dict().values())).device
    parts = torch.from_numpy(latent).to(device).split(JUDGED_AT_ONCE[device.type])
    return torch.cat([model.decode(part) for part in parts])
