"""Samples of an exported model, of one digit alone where that is wished, and what the classifier makes of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from autoencoder.exported import ExportedModel
from autoencoder.priors import draw_noise, sample
from autoencoder.reader import Reader, Reading

DRAWS_PER_IMAGE = 40  # at most, when one digit alone is wanted
READ_AT_ONCE = 500  # draws


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
        KeyError: there is no prior of that name.
        ValueError: a digit is asked for without a classifier to find it.
    """
    if digit is not None and reader is None:
        raise ValueError("only a classifier can tell which samples are of one digit")
    drawn = count if digit is None else count * DRAWS_PER_IMAGE
    latents = sample(model.latents.priors[prior], draw_noise(drawn, model.manifest.latent_dim, seed), temperature)
    if digit is not None and reader is not None:
        rows = _that_read_as(digit, model, latents, count, reader)
        drawn = int(rows[-1]) + 1 if len(rows) == count else drawn
        latents = latents[rows]
    images = model.decode(latents)
    return Samples(latents, images, reader.read(images) if reader else None, drawn)


def _that_read_as(
    digit: int, model: ExportedModel, latents: Float32[np.ndarray, "n latent_dim"], count: int, reader: Reader
) -> Int[np.ndarray, " found"]:
    """Which latents, the first `count` of them, decode to what reads as this digit; no more are decoded than it takes."""
    rows = np.empty(0, np.int64)
    for start in range(0, len(latents), READ_AT_ONCE):
        reading = reader.read(model.decode(latents[start : start + READ_AT_ONCE]))
        rows = np.append(rows, start + np.flatnonzero(reading.label == digit))
        if len(rows) >= count:
            break
    return rows[:count]
