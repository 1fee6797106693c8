"""Page: test images through several models, side by side."""

import artifacts
import layout
import numpy as np
import streamlit as st
from jaxtyping import Float, Int, UInt8

from autoencoder.exported import ExportedModel
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.sheets import difference_image

ROOM = (1095, 640)  # what the table may take at 1440x900 beside the sidebar
LIMIT = 0.75  # the difference that gets the full colour, the same for all models


def choose_images(labels: UInt8[np.ndarray, " n"]) -> Int[np.ndarray, " chosen"]:
    """The widgets that say which test images to show, and the indices they give."""
    panel = st.sidebar
    how = panel.segmented_control(
        "Test images", ["Random", "Label", "Index"], default="Random", required=True, key="images", bind="query-params"
    )
    pool = np.arange(len(labels))
    draw = 0
    if how == "Index":
        start = panel.number_input("First index", 0, len(labels) - 1, 0, key="index", bind="query-params")
        pool = pool[start:]
    if how == "Label":
        classes = np.unique(labels).tolist()
        label = panel.pills("Label", classes, default=classes[0], required=True, key="label", bind="query-params")
        pool = np.flatnonzero(labels == label)
    if how != "Index":
        draw = panel.number_input(
            "Draw", 0, 9999, 0, key="draw", bind="query-params", help="Each number is another draw."
        )
        pool = np.random.default_rng(draw).permutation(pool)
    count = panel.slider("How many", 1, 8, 5, key="count", bind="query-params")
    return pool[:count]


def mean_squared_errors(
    images: Float[np.ndarray, "n 28 28"], reconstructions: Float[np.ndarray, "n 28 28"]
) -> Float[np.ndarray, " n"]:
    """The error of each image, over its pixels."""
    return np.square(reconstructions - images).mean(axis=(1, 2))


def pixel_scale(models: int, rows: int) -> int:
    """The largest whole scale at which the table needs no scrolling at 1440x900, at least 2."""
    fits = (28 * s + 20 + models * (56 * s + 28) <= ROOM[0] and rows * (28 * s + 32) <= ROOM[1] for s in (2, 3, 4, 5))
    return max(2, 1 + sum(fits))


def table(models: dict[str, ExportedModel], pixels: UInt8[np.ndarray, "n 28 28"], captions: list[str]) -> str:
    """The comparison as HTML: each image, then every model's reconstruction, difference and error, the best in bold."""
    images = to_unit_interval(pixels)
    reconstructions = {name: model.reconstruct(images) for name, model in models.items()}
    errors = {name: mean_squared_errors(images, decoded) for name, decoded in reconstructions.items()}
    best = np.min(list(errors.values()), axis=0)
    scale = pixel_scale(len(models), len(images))
    heads = ['<th><span class="name">image</span><small>label, index</small><small>&nbsp;</small></th>']
    for name, model in models.items():
        facts = (
            f"<small>{model.manifest.latent_dim} dimensions</small><small>mean MSE {errors[name].mean():.4f}</small>"
        )
        heads.append(f'<th><span class="name">{name}</span>{facts}</th>')
    rows = []
    for i, caption in enumerate(captions):
        cells = [f"<td>{layout.picture(pixels[i], f'test image: {caption}', scale)}<small>{caption}</small></td>"]
        for name, decoded in reconstructions.items():
            pair = layout.picture(to_uint8(decoded[i]), f"{name}: reconstruction of {caption}", scale)
            pair += layout.picture(difference_image(images[i], decoded[i], LIMIT), f"{name}: difference", scale)
            mark = " class=best" if errors[name][i] == best[i] and len(models) > 1 else ""
            cells.append(f'<td><div class="pair">{pair}</div><small{mark}>{errors[name][i]:.4f}</small></td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="sheet"><table><tr>{"".join(heads)}</tr>{"".join(rows)}</table></div>'


workspace = artifacts.current()
layout.header(
    "Reconstruct",
    "Each model squeezes a test image into a few numbers and draws it again from those alone; "
    "red is where it put too much ink, blue where too little.",
    workspace,
)
models = artifacts.load_models(workspace, layout.choose_models(workspace))
test = artifacts.test_split(workspace, next(iter(models.values())).manifest.dataset)
chosen = choose_images(test.labels)
st.html(table(models, test.images[chosen], [f"{test.labels[i]}, {i}" for i in chosen]))
layout.status(models.values())
