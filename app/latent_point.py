"""The point of the Explore page: kept as text in the session and the link, and what moves it besides the text field."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from autoencoder.exported import ExportedModel
from autoencoder.planes import Plane
from autoencoder.point_text import read_point, write_point
from autoencoder.sections import offset, through
from autoencoder.surroundings import typical_code

SLACK = 1e-3  # of the point's length: this far off a plane, by the rounding of the text, it still counts as on it


def to_middle() -> None:
    """Take the point back to the middle of the plane."""
    st.session_state.z = ""


def moved(widget: str) -> None:
    """Go where a widget has just sent the point."""
    if sent := st.session_state[widget]["move"]:
        st.session_state.turn = sent["turn"]
        st.session_state.z = write_point(np.array(sent["z"], np.float64))


def visited(model: ExportedModel) -> None:
    """Go to the code that was double-clicked on the map, off the plane if need be."""
    if sent := st.session_state.map["visit"]:
        st.session_state.turn = sent["turn"]
        visit(model, sent["index"])


def visit(model: ExportedModel, index: int) -> None:
    """Go to the code of a test digit."""
    go_to(model.latents.test_mean[index])


def begin(model: ExportedModel) -> None:
    """A first visit that knows no point yet begins at the test digit chosen on another page, or in the link."""
    if "z" in st.session_state or "z" in st.query_params:
        return
    index = str(st.session_state.get("index") or st.query_params.get("index", ""))
    if (
        index.isdecimal() and len(index) < 9 and 0 < int(index) < len(model.latents.test_mean)
    ):  # the first is what nobody chose
        visit(model, int(index))
        st.query_params.z = st.session_state.z  # the text field binds its own changes alone
        st.query_params.pop("index", None)  # else a reload would go there again


def visit_number(model: ExportedModel) -> None:
    """Go to the code of the test digit whose number was just given, and forget the number: it is a jump, no state."""
    number, st.session_state.number = st.session_state.number, None
    if number is not None:
        visit(model, number)


def go_to(latent: Float[np.ndarray, " latent_dim"]) -> None:
    """Go to a latent."""
    st.session_state.z = write_point(latent)


def visit_typical(model: ExportedModel) -> None:
    """Go to the code that is most like those of the digit just chosen, and forget the choice: it is a jump, no state."""
    digit, st.session_state.digit = st.session_state.digit, None
    if digit is not None:
        visit(model, typical_code(model.latents.test_mean, model.latents.test_labels, digit))


def carry_over(name: str, model: ExportedModel) -> None:
    """In another model, go to the code of the digit that was nearest to the point before."""
    before, index = st.session_state.get("explored", (name, 0))
    if before != name and st.session_state.get("z"):
        visit(model, min(index, len(model.latents.test_mean) - 1))


def choose_point(plane: Plane) -> Float[np.ndarray, " latent_dim"]:
    """The text field, and the point that it says; the middle of the plane where it is empty or wrong."""
    middle = read_point(write_point(plane.origin), len(plane.origin))
    text = st.sidebar.text_input(
        "Point", key="z", bind="query-params", placeholder="the middle", help="The latent itself; a link keeps it."
    )
    try:
        return read_point(text, len(middle)) if text else middle
    except ValueError as error:
        st.sidebar.warning(f"{error} Shown is the middle of the plane.", icon=":material/my_location:")
        return middle


def plane_shown(plane: Plane, point: Float[np.ndarray, " latent_dim"], identity: tuple[object, ...]) -> Plane:
    """The plane itself or the last one shown, where it holds the point, so that its atlas stays; else one through it."""
    before, last = st.session_state.get("shown", (identity, plane))
    slack = SLACK * np.linalg.norm(point) + 1e-6
    known = (plane, last) if before == identity else (plane,)
    held = (place for place in known if np.linalg.norm(offset(place, point)) <= slack)
    found = next(held, through(plane, point))
    st.session_state.shown = (identity, found)
    return found
