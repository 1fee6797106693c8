"""Page: every point of a latent space is a picture; a map, sliders, and what lies around the point."""

import artifacts
import latent_point
import latent_widgets
import layout
import measurements
import numpy as np
import streamlit as st
from jaxtyping import Float, UInt8
from own_digit import code_of

from autoencoder.exported import ExportedModel
from autoencoder.planes import Plane, principal_plane, shares
from autoencoder.priors import PRIORS
from autoencoder.sections import dimension_plane, plane_of_three
from autoencoder.surroundings import code_spread, mahalanobis, nearest_codes, typical_code

PLANES = {"main": "Main", "dimensions": "Dimensions", "digits": "Digits"}
ABOUT = {
    "main": "The plane in which the codes vary most.",
    "dimensions": "Two of the latent's own dimensions.",
    "digits": "The plane through three typical digits.",
}
NEAREST = 8
MAP, PICTURE, SLIDERS = 536, 252, 232  # widths that fill 1440x900 beside the sidebar


def plane_chosen() -> None:
    """A plane through three codes is about those: go there. On the others stay where the point is."""
    if st.session_state.plane == "digits":
        latent_point.to_middle()


def choose_plane(
    codes: Float[np.ndarray, "n latent_dim"], labels: UInt8[np.ndarray, " n"]
) -> tuple[Plane, list[int], str]:
    """The widgets that choose a plane; the plane, the codes that span it, and what its axes are."""
    panel = st.sidebar
    if codes.shape[1] <= 2:
        return principal_plane(codes), [], "z0 to the right, z1 upwards"
    kind = layout.choose_one(panel, "Plane", PLANES, key="plane", on_change=plane_chosen)
    panel.caption(ABOUT[kind])
    if kind == "dimensions":
        order = np.argsort(-code_spread(codes), kind="stable").tolist()
        left, right = panel.columns(2)
        across = left.selectbox("Right", order, format_func="z{}".format, key="across", bind="query-params")
        others = [index for index in order if index != across]
        up = right.selectbox("Up", others, format_func="z{}".format, key="up", bind="query-params")
        return dimension_plane(codes.mean(0), across, up), [], f"z{across} to the right, z{up} upwards"
    if kind == "digits":
        present = np.unique(labels).tolist()
        chosen = panel.multiselect(
            "Digits",
            present,
            default=present[:3],
            max_selections=3,
            key="corners",
            bind="query-params",
            on_change=latent_point.to_middle,
        )
        if len(chosen) == 3:
            corners = [typical_code(codes, labels, label) for label in chosen]
            try:
                return plane_of_three(codes[corners]), corners, "Through typical digits of three kinds"
            except ValueError:
                panel.caption("The codes of these three lie on one line; this is the main plane.")
        else:
            panel.caption("Choose three; until then this is the main plane.")
    plane = principal_plane(codes)
    return plane, [], f"The two main axes of the codes, {shares(plane, codes).sum():.0%} of their variance"


def nearest_html(model: ExportedModel, images: UInt8[np.ndarray, "n 28 28"], found: list[int]) -> str:
    """The test digits whose codes are nearest to the point."""
    labels = model.latents.test_labels
    cells = (
        f"<li>{layout.picture(images[i], f'test digit {labels[i]}, index {i}', 2)}<small>{labels[i]}, {i}</small></li>"
        for i in found
    )
    return f'<section class="nearest"><h2>Nearest test digits</h2><ul>{"".join(cells)}</ul></section>'


workspace = artifacts.current()
layout.header(
    "Explore",
    "Every point of a latent space is a picture: drag the point, or a slider, and watch one become another.",
    workspace,
)
name = layout.choose_model(workspace)
model = artifacts.load_models(workspace, [name])[name]
test = artifacts.test_split(workspace, model.manifest.dataset)
codes, labels = model.latents.test_mean[: len(test.images)], model.latents.test_labels[: len(test.images)]
variational = model.manifest.variational
measure = mahalanobis(model.latents.priors["normal" if variational else "gaussian"])
prior = PRIORS["normal"] if variational else "the codes' Gaussian"
active = measurements.read(workspace, name).get("active_units", len(measure.mean))  # all, until that is measured

latent_point.carry_over(name, model)
plane, corners, axes = choose_plane(codes, labels)
latent_point.begin(model)
st.sidebar.number_input(
    "Go to test image", 0, len(codes) - 1, None, key="number", on_change=latent_point.visit_number, args=(model,)
)
st.sidebar.pills(
    "Go to a typical digit",
    np.unique(labels).tolist(),
    key="digit",
    on_change=latent_point.visit_typical,
    args=(model,),
)
if own := code_of(model):
    st.sidebar.button(
        f"Go to your {own.what}", icon=":material/draw:", on_click=latent_point.go_to, args=(own.mean,), width="stretch"
    )
st.sidebar.button("Back to the middle", icon=":material/my_location:", on_click=latent_point.to_middle, width="stretch")
point = latent_point.choose_point(plane)
identity = (model.manifest.files["decoder.onnx"].sha256, plane.axes.tobytes())
shown = latent_point.plane_shown(plane, point, identity)
if corners and shown is not plane:
    corners, axes = [], "Parallel to the plane through three typical digits, through the point"
found = nearest_codes(codes, point, NEAREST).tolist()
st.session_state.explored = (name, found[0])

with st.container(horizontal=True, gap="medium", key="explore"):
    left = st.container(width=MAP)
    middle = st.container(width=PICTURE, key="point")
    right = st.container(width=SLIDERS)
# The picture first: the page shows it while the rest is still on its way.
with middle:
    turn = st.session_state.get("turn", 0)
    latent_widgets.latent_picture(key="picture", data=latent_widgets.picture_data(model, measure, prior, point, turn))
    st.html(nearest_html(model, test.images, found))
with right:
    latent_widgets.latent_sliders(
        key="sliders",
        data=latent_widgets.slider_data(model, measure, point, active),
        on_move_change=lambda: latent_point.moved("sliders"),
    )
with left:
    latent_widgets.latent_map(
        key="map",
        data=latent_widgets.map_data(model, identity[0], shown, measure, corners, axes, prior, own),
        on_move_change=lambda: latent_point.moved("map"),
        on_visit_change=lambda: latent_point.visited(model),
    )
layout.status([model])
st.html(latent_widgets.digits_html(test.images, model.manifest.data_sha256))
