"""Page: images decoded from draws of a prior, the same noise through several models."""

import artifacts
import layout
import numpy as np
import streamlit as st
from jaxtyping import Float32

from autoencoder.exported import ExportedModel
from autoencoder.images import encode_png, image_grid
from autoencoder.priors import PRIORS, draw_noise, sample
from autoencoder.sheets import labelled_rows

ROOM = (1095, 690)  # what the cards may take at 1440x900 beside the sidebar
GAP = 2
ABOUT = {
    "normal": "Where a VAE is trained to put its codes, and where nothing asks an autoencoder to put them.",
    "gaussian": "One Gaussian with the mean and covariance of the model's own training codes.",
    "gmm": "A mixture of Gaussians fitted to the model's own training codes: where they really lie.",
}


def draw(model: ExportedModel, prior: str, count: int, seed: int, temperature: float) -> Float32[np.ndarray, "n 28 28"]:
    """Decoded samples; models of equal latent_dim and all priors get the same noise."""
    noise = draw_noise(count, model.manifest.latent_dim, seed)
    return model.decode(sample(model.latents.priors[prior], noise, temperature))


def arrangement(cards: int, side: int) -> tuple[int, int]:
    """Pixel scale and cards per row: the largest whole scale that needs no scrolling at 1440x900."""
    for scale in (4, 3, 2):
        width = side * (28 * scale + GAP)
        across = ROOM[0] // (width + 28)
        if across and (rows := -(-cards // across)) * (width + 50) <= ROOM[1]:
            return scale, -(-cards // rows)
    return 1, cards


workspace = artifacts.current()
layout.header(
    "Sample",
    "Random points of the latent space, decoded: a latent space is complete where every point of it means something.",
    workspace,
)
models = artifacts.load_models(workspace, layout.choose_models(workspace))
panel = st.sidebar
prior = panel.segmented_control(
    "Draw from",
    list(PRIORS),
    format_func=PRIORS.__getitem__,
    default="normal",
    required=True,
    key="prior",
    bind="query-params",
)
panel.caption(ABOUT[prior])
temperature = panel.slider(
    "Temperature", 0.0, 2.0, 1.0, 0.05, key="temperature", bind="query-params", help="Scales the standard deviation."
)
seed = panel.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params", help="Each number is another draw.")
side = panel.slider("Grid size", 2, 10, 5, key="side", bind="query-params")

samples = {name: draw(model, prior, side * side, seed, temperature) for name, model in models.items()}
scale, across = arrangement(len(models), side)
cards = [
    f'<section class="card"><h2>{name} <small>{models[name].manifest.latent_dim} dimensions</small></h2>'
    + layout.picture(image_grid(images, side, GAP, scale, background=64), f"{side * side} samples of {name}")
    + "</section>"
    for name, images in samples.items()
]
width = across * (side * (28 * scale + GAP) + 28)
st.html(f'<div class="cards" style="max-width: {width}px">{"".join(cards)}</div>')
panel.download_button(
    "Download PNG",
    lambda: encode_png(labelled_rows(samples, scale=2, columns=side)),
    file_name=f"samples_seed_{seed}.png",
    mime="image/png",
    icon=":material/download:",
    on_click="ignore",
    width="stretch",
)
layout.status(models.values())
