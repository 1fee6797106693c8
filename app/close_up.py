"""One image seen closely: large, and the Gaussian that each VAE's encoder makes of it."""

import html

import layout
import numpy as np
from jaxtyping import UInt8

from autoencoder.exported import ExportedModel
from autoencoder.images import to_unit_interval
from autoencoder.surroundings import code_spread

TITLE = "What the encoder sees"
SCALE = 10
REACH = 3.5  # of the bars, in standard deviations of N(0, I)


def close_up(models: dict[str, ExportedModel], pixels: UInt8[np.ndarray, "28 28"], caption: str) -> str:
    """The image and the bars, as HTML."""
    picture = layout.picture(pixels, TITLE, SCALE)
    figure = f"<figure><h2>{TITLE}</h2>{picture}<small>{caption}</small></figure>"
    bars = "".join(posterior(name, model, pixels) for name, model in models.items())
    return f'<div class="close-up">{figure}{bars}</div>'


def posterior(name: str, model: ExportedModel, pixels: UInt8[np.ndarray, "28 28"]) -> str:
    """A VAE's code of an image: mean and spread of every dimension, the most active first; nothing for others."""
    encoding = model.encode(to_unit_interval(pixels)[None])
    if encoding.deviations is None:
        return ""
    means, deviations = encoding.mean[0], encoding.deviations[0]
    bars = []
    for index in np.argsort(-code_spread(model.latents.test_mean), kind="stable"):
        mean, deviation = float(means[index]), float(deviations[index])
        low, high = (share(mean + sign * deviation) for sign in (-1, 1))
        place = f"--low: {low:.1%}; --high: {high:.1%}; --mean: {share(mean):.1%}"
        bars.append(
            f'<div class="code" title="z{index}: {mean:.2f} ± {deviation:.2f}" style="{place}"><small>z{index}</small><b></b></div>'
        )
    head = f"<h2>{html.escape(name)}<small>mean and spread; grey: N(0, I)</small></h2>"
    return f'<section style="--unit: {1 / REACH:.1%}">{head}{"".join(bars)}</section>'


def share(value: float) -> float:
    """Where a value lies between the ends of a bar."""
    return float(np.clip((value / REACH + 1) / 2, 0, 1))
