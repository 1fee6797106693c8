"""Samples of an exported model, of one digit alone where that is wished, and what the classifier makes of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from autoencoder.exported import ExportedModel
from autoencoder.priors import draw_noise, sample
from autoencoder.reader import Reader, Reading

DRAWS_PER_IMAGE = 40  # at most, when one digit alone is wanted


@dataclass(frozen=True)
class Samples:
    """Decoded draws, what the classifier reads in them (None without one), and how many were drawn to find them."""

    latents: Float32[np.ndarray, "n latent_dim"]
    images: Float32[np.ndarray, "n 28 28"]
    reading: Reading | None
    drawn: int


def draw_samples(
    model: ExportedModel,
    prior: str,
    count: int,
    seed: int,
    temperature: float = 1.0,
    reader: Reader | None = None,
    digit: int | None = None,
) -> Samples:
    """Decoded draws of a prior; models of equal latent_dim and all priors get the same noise.

    Args:
        model: what to sample from.
        prior: a name in PRIORS.
        count: images; fewer where so many of the digit are not found.
        seed: of the noise.
        temperature: see `sample`.
        reader: the classifier.
        digit: keep the draws in which the classifier reads this digit.

    Raises:
        ValueError: a digit is asked for without a classifier to find it.
    """
    if digit is not None and reader is None:
        raise ValueError("only a classifier can tell which samples are of one digit")
    drawn = count if digit is None else count * DRAWS_PER_IMAGE
    latents = sample(model.latents.priors[prior], draw_noise(drawn, model.manifest.latent_dim, seed), temperature)
    images = model.decode(latents)
    if reader is None:
        return Samples(latents, images, None, drawn)
    reading = reader.read(images)
    rows = np.arange(drawn) if digit is None else np.flatnonzero(reading.label == digit)[:count]
    if digit is not None and len(rows) == count:
        drawn = int(rows[-1]) + 1
    kept = Reading(reading.label[rows], reading.confidence[rows], reading.accepted[rows])
    return Samples(latents[rows], images[rows], kept, drawn)
