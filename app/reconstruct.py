"""Page: test images through several models, side by side."""

from collections.abc import Callable

import artifacts
import layout
import numpy as np
import streamlit as st
from jaxtyping import Float, Int, UInt8

from autoencoder.exported import ExportedModel
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.reader import Reader
from autoencoder.reconstruction import mean_squared_errors, reconstruct, share_below
from autoencoder.sheets import difference_image

ROOM = (1095, 640)  # what the table may take at 1440x900 beside the sidebar
WAYS = ["Random", "Label", "Index", "Worst"]
JUDGED = 2000  # test images whose errors a single error is measured against
UNUSUAL = 0.9  # share of test errors that are smaller: an error that is worth a remark
LIMIT = 0.75  # the difference that gets the full colour, the same for all models


def choose_images(
    labels: UInt8[np.ndarray, " n"], hardest: Callable[[], Int[np.ndarray, " n"]]
) -> Int[np.ndarray, " chosen"]:
    """The widgets that say which test images to show, and the indices they give."""
    panel = st.sidebar
    how = panel.segmented_control(
        "Test images", WAYS, default=WAYS[0], required=True, key="images", bind="query-params"
    )
    pool = np.arange(len(labels))
    if how == "Index":
        start = panel.number_input("First index", 0, len(labels) - 1, 0, key="index", bind="query-params")
        pool = pool[start:]
    if how == "Label":
        classes = np.unique(labels).tolist()
        label = panel.pills("Label", classes, default=classes[0], required=True, key="label", bind="query-params")
        pool = np.flatnonzero(labels == label)
    if how == "Worst":
        pool = hardest()
        panel.caption(f"Those with the largest mean error over the models, of the first {JUDGED:,}.")
    if how in ("Random", "Label"):
        draw = panel.number_input(
            "Draw", 0, 9999, 0, key="draw", bind="query-params", help="Each number is another draw."
        )
        pool = np.random.default_rng(draw).permutation(pool)
    count = panel.slider("How many", 1, 8, 5, key="count", bind="query-params")
    return pool[:count]


@st.cache_data(max_entries=32, show_spinner=False)
def typical_errors(
    _model: ExportedModel,
    _images: UInt8[np.ndarray, "n 28 28"],
    sha256: str,  # noqa: ARG001 - a cache key
) -> Float[np.ndarray, " n"]:
    """A model's errors on the first test images: what an error is measured against."""
    images = to_unit_interval(_images[:JUDGED])
    return mean_squared_errors(images, reconstruct(_model, images))


def errors_of(models: dict[str, ExportedModel], images: UInt8[np.ndarray, "n 28 28"]) -> dict[str, np.ndarray]:
    """`typical_errors` of every model."""
    return {
        name: typical_errors(model, images, "".join(entry.sha256 for entry in model.manifest.files.values()))
        for name, model in models.items()
    }


def choose_decoding(models: dict[str, ExportedModel]) -> int | None:
    """The seed of draws from the posterior, None for its mean; asked only where there is a VAE."""
    if not any(model.manifest.kind.startswith("vae") for model in models.values()):
        return None
    panel = st.sidebar
    which = panel.segmented_control(
        "A VAE decodes", ["Mean", "Draw"], default="Mean", required=True, key="decode", bind="query-params",
        help="Its encoder gives a distribution of latents: decode its mean, or a draw from it.",
    )  # fmt: skip
    return panel.number_input("Noise", 0, 9999, 0, key="noise", bind="query-params") if which == "Draw" else None


def pixel_scale(models: int, rows: int) -> int:
    """The largest whole scale at which the table needs no scrolling at 1440x900, at least 2."""
    fits = (28 * s + 20 + models * (56 * s + 28) <= ROOM[0] and rows * (28 * s + 32) <= ROOM[1] for s in (2, 3, 4, 5))
    return max(2, 1 + sum(fits))


def read(reader: Reader | None, images: Float[np.ndarray, "n 28 28"]) -> list[str]:
    """What the classifier reads in each, `?` where it would not accept it; nothing without a classifier."""
    if reader is None:
        return [""] * len(images)
    reading = reader.read(images)
    return [f"{label}" if sure else f"{label}?" for label, sure in zip(reading.label, reading.accepted, strict=True)]


def table(
    models: dict[str, ExportedModel],
    pixels: UInt8[np.ndarray, "n 28 28"],
    captions: list[str],
    errors: dict[str, np.ndarray],
    reader: Reader | None,
    posterior_seed: int | None,
) -> str:
    """The comparison as HTML: each image, then every model's reconstruction, difference, error and reading."""
    images = to_unit_interval(pixels)
    decoded = {name: reconstruct(model, images, posterior_seed) for name, model in models.items()}
    found = {name: mean_squared_errors(images, values) for name, values in decoded.items()}
    best = np.min(list(found.values()), axis=0)
    scale = pixel_scale(len(models), len(images))
    heads = ['<th><span class="name">image</span><small>label, index</small><small>&nbsp;</small></th>']
    for name, model in models.items():
        facts = f"<small>{model.manifest.latent_dim} dimensions</small><small>mean MSE {found[name].mean():.4f}</small>"
        heads.append(f'<th><span class="name">{name}</span>{facts}</th>')
    readings = {name: read(reader, values) for name, values in decoded.items()}
    seen = read(reader, images)
    rows = []
    for i, caption in enumerate(captions):
        words = f"{caption}{f' · reads {seen[i]}' if seen[i] else ''}"
        cells = [f"<td>{layout.picture(pixels[i], f'test image: {caption}', scale)}<small>{words}</small></td>"]
        for name, values in decoded.items():
            pair = layout.picture(to_uint8(values[i]), f"{name}: reconstruction of {caption}", scale)
            pair += layout.picture(difference_image(images[i], values[i], LIMIT), f"{name}: difference", scale)
            mark = " class=best" if found[name][i] == best[i] and len(models) > 1 else ""
            worse = share_below(found[name][i], errors[name])
            title = f"a larger error than on {worse:.0%} of {len(errors[name]):,} test images"
            words = f"{found[name][i]:.4f}" + (f" · worse than {worse:.0%}" if worse > UNUSUAL else "")
            words += f" · {readings[name][i]}" if readings[name][i] else ""
            cells.append(f'<td><div class="pair">{pair}</div><small{mark} title="{title}">{words}</small></td>')
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
errors = errors_of(models, test.images)
chosen = choose_images(test.labels, lambda: np.argsort(-np.mean(list(errors.values()), axis=0), kind="stable"))
posterior_seed = choose_decoding(models)
reader = artifacts.load_reader(workspace)
captions = [f"{test.labels[i]}, {i}" for i in chosen]
st.html(table(models, test.images[chosen], captions, errors, reader, posterior_seed))
layout.status(models.values())
