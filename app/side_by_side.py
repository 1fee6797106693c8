"""The Reconstruct page's table: images through several models, each with its difference, its error and its reading."""

import layout
import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8

from autoencoder.exported import ExportedModel
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.reader import Reader
from autoencoder.reconstruction import mean_squared_errors, reconstruct, share_below
from autoencoder.sheets import difference_image
from autoencoder.subsets import evenly_spread

ROOM = (1095, 640)  # what the table may take at 1440x900 beside the sidebar
JUDGED = 500  # test images whose errors a single error is measured against
UNUSUAL = 0.9  # share of test errors that are smaller: an error that is worth a remark
MOST = 0.99  # that is said of such a share: none of them is all test images
TEST_IMAGE = "test image"
LIMIT = 0.75  # the difference that gets the full colour, the same for all models


@st.cache_data(max_entries=32, show_spinner=False)
def typical_errors(
    _model: ExportedModel,
    _images: UInt8[np.ndarray, "n 28 28"],
    sha256: tuple[str, ...],  # noqa: ARG001 - a cache key
    posterior_seed: int | None,
) -> Float[np.ndarray, " n"]:
    """A model's errors on `JUDGED` test images, spread over all: what an error is measured against."""
    images = to_unit_interval(_images[evenly_spread(JUDGED, len(_images))])
    return mean_squared_errors(images, reconstruct(_model, images, posterior_seed))


def errors_of(
    models: dict[str, ExportedModel], images: UInt8[np.ndarray, "n 28 28"], posterior_seed: int | None = None
) -> dict[str, np.ndarray]:
    """`typical_errors` of every model; of VAEs those of samples, where there is a seed."""
    return {
        name: typical_errors(
            model,
            images,
            (model.manifest.data_sha256, *(entry.sha256 for entry in model.manifest.files.values())),
            posterior_seed,
        )
        for name, model in models.items()
    }


def pixel_scale(models: int, rows: int) -> int:
    """The largest whole scale at which the table needs no scrolling at 1440x900, at least 2."""
    fits = (28 * s + 20 + models * (56 * s + 28) <= ROOM[0] and rows * (28 * s + 32) <= ROOM[1] for s in (2, 3, 4, 5))
    return max(2, 1 + sum(fits))


def read(reader: Reader | None, images: Float[np.ndarray, "n 28 28"]) -> list[str]:
    """What the classifier reads in each, `?` where it would not accept it; nothing without a classifier."""
    if reader is None:
        return [""] * len(images)
    return reader.read(images).words


def table(
    models: dict[str, ExportedModel],
    pixels: UInt8[np.ndarray, "n 28 28"],
    captions: list[str],
    errors: dict[str, np.ndarray],
    reader: Reader | None,
    posterior_seed: int | None,
    what: str = TEST_IMAGE,
) -> str:
    """The comparison as HTML: each image, then every model's reconstruction, difference, error and reading."""
    images = to_unit_interval(pixels)
    decoded = {name: reconstruct(model, images, posterior_seed) for name, model in models.items()}
    found = {name: mean_squared_errors(images, values) for name, values in decoded.items()}
    best = np.min(list(found.values()), axis=0)
    scale = pixel_scale(len(models), len(images))
    about = "label, index" if what == TEST_IMAGE else "prepared"
    heads = [f'<th><span class="name">image</span><small>{about}</small><small>&nbsp;</small></th>']
    for name, model in models.items():
        heads.append(f"<th>{layout.name_and_size(name, model)}<small>mean MSE {found[name].mean():.4f}</small></th>")
    readings = {name: read(reader, values) for name, values in decoded.items()}
    seen = read(reader, images)
    rows = [heads]
    for i, caption in enumerate(captions):
        words = " · ".join(filter(None, [caption, seen[i] and f"reads {seen[i]}"]))
        cells = [
            f"<td>{layout.picture(pixels[i], f'{what}: {caption}' if caption else what, scale)}<small>{words}</small></td>"
        ]
        for name, values in decoded.items():
            pair = layout.picture(to_uint8(values[i]), f"{name}: reconstruction of {caption or what}", scale)
            pair += layout.picture(difference_image(images[i], values[i], LIMIT), f"{name}: difference", scale)
            mark = " class=best" if found[name][i] == best[i] and len(models) > 1 else ""
            worse = min(share_below(found[name][i], errors[name]), MOST)
            title = f"a larger error than on {worse:.0%} of {len(errors[name]):,} test images"
            words = f"{found[name][i]:.4f}" + (f" · worse than {worse:.0%}" if worse > UNUSUAL else "")
            words += f" · {readings[name][i]}" if readings[name][i] else ""
            cells.append(f'<td><div class="pair">{pair}</div><small{mark} title="{title}">{words}</small></td>')
        rows.append(cells)
    return layout.table("sheet", rows)
