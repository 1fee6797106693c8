"""The three widgets of the Explore page, which share one point in the browser, and the data each is given.

They are apart because Streamlit sends a widget's data whole whenever it changes: the atlas stays, the point moves.
"""

import base64
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float, Shaped, UInt8
from own_digit import OwnDigit
from widgets import declare

from autoencoder.atlas import (
    PLANE_SIDE,
    SPACE_SIDE,
    STRIP_LENGTH,
    decode_atlas,
    decode_strips,
    digits_sheet,
    slider_ranges,
)
from autoencoder.exported import ExportedModel
from autoencoder.images import to_uint8
from autoencoder.planes import MAPPED, Plane, frame_of
from autoencoder.sheets import DIGIT_COLOURS
from autoencoder.subsets import evenly_spread
from autoencoder.surroundings import Mahalanobis, code_spread, outline, shadow

SHARE = 0.99  # of the prior's draws: a point beyond them gets a warning
SPREAD = 2.0  # standard deviations that are drawn around the code of a digit of one's own
SHEET_COLUMNS = 60


latent_map, latent_picture, latent_sliders = (
    declare(name, "latent_point") for name in ("latent_map", "latent_picture", "latent_sliders")
)


@st.cache_data(max_entries=16, show_spinner=False)
def map_data(
    _model: ExportedModel,
    decoder_sha256: str,  # noqa: ARG001 - a cache key
    plane: Plane,
    _measure: Mahalanobis,
    corners: list[int],
    axes: str,
    prior: str,
    own: OwnDigit | None,
) -> dict[str, Any]:
    """What the map shows of a plane: pictures, codes, where the prior ends, what spans it, and a digit of one's own."""
    codes, labels = _model.latents.test_mean, _model.latents.test_labels
    places, shown = plane.coordinates(codes), evenly_spread(MAPPED, len(codes))
    musts = np.concatenate([places[corners], plane.coordinates(own.mean[None]) if own else places[:0]])
    frame = frame_of(places, musts if len(musts) else None)
    edge = outline(_measure, plane, _measure.radius(SHARE))
    if edge is not None and (np.abs(edge - frame.middle).max(1) > frame.reach).all():
        edge = None  # outside the frame
    dashed = "" if edge is None else f" Dashed: {SHARE:.0%} of {prior}."
    side, stride = (SPACE_SIDE, 3) if _model.manifest.latent_dim <= 2 else (PLANE_SIDE, 2)
    return {
        "atlas": encoded(decode_atlas(_model.decode, plane, frame, side)),
        "side": side,
        "stride": stride,  # every so many pictures one is drawn behind the codes
        "middle": frame.middle.tolist(),
        "reach": frame.reach,
        "origin": plane.origin.tolist(),
        "axes": plane.axes.tolist(),
        "shown": encoded(shown.astype("<u4")),  # which test images
        "codes": encoded(places[shown].astype("<f4")),
        "labels": encoded(labels[shown]),
        "outline": None if edge is None else edge.round(4).tolist(),
        "corners": [{"place": places[index].tolist(), "label": str(labels[index])} for index in corners],
        "colours": DIGIT_COLOURS,
        "digits": "img.test-digits",
        "own": own
        and {
            "name": f"your {own.what}",
            "ring": shadow(own.mean, own.deviations, plane, SPREAD).round(4).tolist(),
        },
        "caption": f"{axes}.{dashed}{legend(own)}",
    }


def legend(own: OwnDigit | None) -> str:
    """What marks a digit of one's own: a ring around its mean, a dot alone where the model gives no spread."""
    if own is None:
        return ""
    ring = f" Ring: your {own.what}, {SPREAD:g} standard deviations around its mean."
    return ring if own.deviations.any() else f" Dot: your {own.what}."


def picture_data(
    model: ExportedModel, measure: Mahalanobis, prior: str, point: Float[np.ndarray, " latent_dim"], turn: int
) -> dict[str, Any]:
    """The exact picture of the point, and what its distance in sigmas is computed from."""
    return {
        "turn": turn,  # the question that this answers
        "z": point.tolist(),
        "pixels": encoded(to_uint8(model.decode(point[None]))),
        "mean": measure.mean.tolist(),
        "whitening": measure.whitening.tolist(),
        "limit": measure.radius(SHARE),
        "prior": prior,
    }


def slider_data(
    model: ExportedModel, measure: Mahalanobis, point: Float[np.ndarray, " latent_dim"], active: int
) -> dict[str, Any]:
    """A strip of pictures per dimension around the point, the most active first; all but so many are dead."""
    codes = model.latents.test_mean
    ranges = slider_ranges(measure.mean, measure.spread, codes, point)
    deviations = code_spread(codes)
    return {
        "strips": encoded(decode_strips(model.decode, point, ranges)),
        "length": STRIP_LENGTH,
        "dimensions": [
            {
                "index": int(index),
                "low": ranges[index, 0],
                "high": ranges[index, 1],
                "std": f"{deviations[index]:.2g}",
                "dead": place >= active,
            }
            for place, index in enumerate(np.argsort(-deviations, kind="stable"))
        ],
    }


@st.cache_data(max_entries=2, show_spinner=False)
def digits_html(_images: UInt8[np.ndarray, "n 28 28"], data_sha256: str) -> str:  # noqa: ARG001 - a cache key
    """The test digits of the map in one hidden picture, of which the map shows the one under the pointer."""
    sheet = base64.b64encode(digits_sheet(_images[evenly_spread(MAPPED, len(_images))], SHEET_COLUMNS)).decode()
    return f'<img class="test-digits" src="data:image/png;base64,{sheet}" alt="" aria-hidden="true">'


def encoded(array: Shaped[np.ndarray, "..."]) -> str:
    """The array's bytes as text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
