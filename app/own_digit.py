"""A digit of a person's own, drawn or photographed on the Reconstruct page, and where a model's encoder puts it."""

from dataclasses import dataclass

import layout
import numpy as np
import streamlit as st
from jaxtyping import Float32, UInt8
from PIL import Image
from widgets import declare

from autoencoder.exported import ExportedModel
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.preparation import CANVAS, from_picture, from_strokes
from autoencoder.uploads import SUFFIXES, PictureError, read_grey

WAYS = {"Draw": "drawing", "Upload": "photograph"}
WIDTH = CANVAS  # of canvas and photograph on the screen
digit_canvas = declare("digit_canvas")


@dataclass(frozen=True)
class OwnDigit:
    """What a model's encoder makes of the digit; no spread where it is not a VAE."""

    what: str
    mean: Float32[np.ndarray, " latent_dim"]
    deviations: Float32[np.ndarray, " latent_dim"]


def code_of(model: ExportedModel) -> OwnDigit | None:
    """What a model makes of the digit that was last drawn or uploaded."""
    if "own_digit" not in st.session_state:
        return None
    what, pixels = st.session_state.own_digit
    encoding = model.encode(to_unit_interval(pixels)[None])
    deviations = encoding.deviations
    return OwnDigit(what, encoding.mean[0], np.zeros_like(encoding.mean[0]) if deviations is None else deviations[0])


def choose(way: str) -> UInt8[np.ndarray, "28 28"] | None:
    """The canvas or the upload, and the digit in MNIST's form that it gives, if any; Explore shows it on its map."""
    digit = drawn() if way == "Draw" else photographed()
    if digit is not None:
        st.session_state.own_digit = (WAYS[way], digit)
    elif st.session_state.get("own_digit", ("",))[0] == WAYS[way]:
        del st.session_state.own_digit  # taken back
    return digit


def drawn() -> UInt8[np.ndarray, "28 28"] | None:
    """The canvas, which keeps its strokes while the person visits other pages."""
    strokes = st.session_state.setdefault("strokes", [])
    digit_canvas(key="canvas", data={"strokes": strokes, "side": CANVAS}, on_strokes_change=keep_strokes)
    image = from_strokes(strokes)
    return None if image is None else to_uint8(image)


def keep_strokes() -> None:
    """Take what was drawn out of the canvas's own state, which is lost with the page."""
    st.session_state.strokes = st.session_state.canvas["strokes"]


def photographed() -> UInt8[np.ndarray, "28 28"] | None:
    """The upload, its picture or what is wrong with it; the last picture stays while the person visits other pages."""
    file = st.file_uploader(
        "A photograph of one digit", SUFFIXES, key="upload", on_change=keep_photograph,
        help="Dark on bright or bright on dark; it is read here and stays on this machine.",
    )  # fmt: skip
    if file and (problem := st.session_state.get("photograph_problem")):
        st.warning(problem, icon=":material/broken_image:")
    thumbnail, digit = st.session_state.get("photograph") or (None, None)
    if thumbnail is not None:
        st.html(layout.picture(thumbnail, "the photograph"))
        if not file:  # the uploader forgets its file with the page, and its cross goes with it
            st.button("Remove", key="remove", icon=":material/close:", on_click=forget_photograph)
    return digit


def forget_photograph() -> None:
    """Neither a picture nor a problem."""
    st.session_state.photograph = st.session_state.photograph_problem = None


def keep_photograph() -> None:
    """Prepare what was just uploaded, and keep it; forget it where the upload was taken back."""
    forget_photograph()
    if (file := st.session_state.upload) is None:
        return
    try:
        grey = read_grey(file.getvalue())
        digit = to_uint8(from_picture(grey))
    except PictureError as error:
        st.session_state.photograph_problem = str(error)
        return
    small = Image.fromarray(to_uint8(grey))
    small.thumbnail((WIDTH, WIDTH))
    st.session_state.photograph = (np.asarray(small), digit)
