"""Page: images decoded from draws of a prior, of several models; those of one size get the same noise."""

import html
import io

import artifacts
import layout
import measurements
import numpy as np
import streamlit as st

from autoencoder.exported import ExportedModel
from autoencoder.images import encode_png, image_grid
from autoencoder.priors import PRIORS
from autoencoder.reader import CLASSES, Reader
from autoencoder.sampling import Samples, draw_samples
from autoencoder.sheets import labelled_rows

ROOM = (1095, 690)  # what the cards may take at 1440x900 beside the sidebar
GAP = 2
SAVED = ("images", "latents")  # of every model, in the NPZ
ABOUT = {
    "normal": "Where a VAE learns to put its codes; an autoencoder's may lie anywhere.",
    "gaussian": "One Gaussian with the mean and covariance of the model's own training codes "
    "(of a VAE: of draws from its posteriors).",
    "gmm": "A mixture of Gaussians fitted to the model's own training codes (of a VAE: to draws from its posteriors): "
    "where they really lie.",
}


def verdict(samples: Samples, accepted: float | None, digits: float | None) -> str:
    """How many of these the classifier accepts, beside what the pipeline measured; how long a digit was looked for."""
    parts = []
    if samples.reading is not None and len(samples.images):
        parts.append(f"Sure of {samples.reading.accepted.sum()} of {len(samples.images)}")
    if accepted is not None:
        kinds = f", {digits:.1f} digits" if digits is not None else ""
        parts.append(f"over many draws: {accepted:.0%}{kinds}")
    if samples.drawn > len(samples.images):
        parts.append(f"{samples.drawn} drawn")
    return " · ".join(parts)


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays as a file that `numpy.load` opens."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def arrangement(cards: int, side: int) -> tuple[int, int]:
    """Pixel scale and cards per row: the largest whole scale that needs no scrolling at 1440x900, 2 if two fit in a row."""
    for scale in (4, 3, 2):
        width = side * (28 * scale + GAP)
        across = ROOM[0] // (width + 28)
        if across and (rows := -(-cards // across)) * (width + 50) <= ROOM[1]:
            return scale, -(-cards // rows)
    across = ROOM[0] // (side * (28 * 2 + GAP) + 28)
    return (2, across) if across > 1 else (1, cards)


def versions_of(model: ExportedModel, reader: Reader) -> tuple[str, ...]:
    """The hashes of the files that draws depend on."""
    files = *model.manifest.files.values(), *reader.manifest.files.values()
    return tuple(entry.sha256 for entry in files)


@st.cache_data(max_entries=64, show_spinner="Looking for samples of this digit …")
def of_one_digit(
    _model: ExportedModel,
    prior: str,
    count: int,
    seed: int,
    temperature: float,
    _reader: Reader,
    digit: int,
    versions: tuple[str, ...],  # noqa: ARG001 - a cache key
) -> Samples:
    """The draws in which the classifier reads the digit: seconds of work where a model hardly draws it."""
    return draw_samples(_model, prior, count, seed, temperature, _reader, digit)


workspace = artifacts.current()
layout.header(
    "Sample",
    "Random points of the latent space, decoded: the space is complete if each of them is a meaningful image.",
    workspace,
)
models = artifacts.load_models(workspace, layout.choose_models(workspace))
panel = st.sidebar
prior = layout.choose_one(panel, "Draw from", PRIORS, key="prior")
panel.caption(ABOUT[prior])
temperature = panel.slider(
    "Temperature", 0.0, 2.0, 1.0, 0.05, key="temperature", bind="query-params", help="Scales the standard deviation."
)
seed = panel.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params", help="Each number is another draw.")
side = panel.slider("Grid size", 2, 10, 5, key="side", bind="query-params")
reader = artifacts.load_reader(workspace)
digit = panel.pills("Only this digit", range(CLASSES), key="only", bind="query-params") if reader else None

samples: dict[str, Samples] = {}
for name, model in models.items():
    if digit is None or reader is None:
        samples[name] = draw_samples(model, prior, side * side, seed, temperature, reader)
    else:
        versions = versions_of(model, reader)
        samples[name] = of_one_digit(model, prior, side * side, seed, temperature, reader, digit, versions)
scale, across = arrangement(len(models), side)
comparable = temperature == 1 and digit is None  # with what the pipeline measured
cards = []
for name, found in samples.items():
    alt = f"{len(found.images)} samples of {name}"
    empty = "<p>None of the draws reads as this digit.</p>"
    grid = image_grid(found.images, side, GAP, scale, background=64) if len(found.images) else None
    measured = measurements.read(workspace, name) if comparable else {}
    accepted, digits = (measured.get(f"{metric}_{prior}") for metric in ("prior_acceptance", "digits_drawn"))
    cards.append(
        f'<section class="card" style="width: {side * (28 * scale + GAP)}px"><h2>{html.escape(name)} <small>{models[name].manifest.latent_dim} dimensions</small></h2>'
        f"{empty if grid is None else layout.picture(grid, alt)}"
        f"<small>{verdict(found, accepted, digits)}</small></section>"
    )
width = across * (side * (28 * scale + GAP) + 28)
st.html(f'<div class="cards" style="max-width: {width}px">{"".join(cards)}</div>')
if reader:
    many = "; over many draws, the share, and how many of the ten digits it reads in them"
    st.caption(f"Of how many the classifier is sure{many * comparable}.")
shown = {name: found.images for name, found in samples.items() if len(found.images)}
layout.offer(
    panel,
    f"samples_{prior}_seed_{seed}.npz",
    lambda: npz({f"{name}_{what}": getattr(found, what) for name, found in samples.items() for what in SAVED}),
)
layout.offer(
    panel,
    f"samples_{prior}_seed_{seed}.png",
    lambda: encode_png(labelled_rows(shown, scale=2, columns=side)),
    disabled=not shown,
)
layout.status(models.values())
