"""Page: from digit to digit through the latent space of several models, read by the classifier on the way."""

import artifacts
import layout
import numpy as np
import streamlit as st
from jaxtyping import Int, UInt8
from strips import animation, arrangement, stops_above, strip

from autoencoder.exported import ExportedModel
from autoencoder.images import to_unit_interval
from autoencoder.reader import Reading
from autoencoder.walks import PATHS, choose_stops, flips, walk

STEPS = 24  # from digit to digit; strips show as many of them as there is room for
MILLISECONDS = 60  # for which the animation shows a frame
ABOUT = {
    "linear": "Straight lines between the codes.",
    "spherical": "Arcs around the origin: frames stay as far out as the codes are.",
}


def choose_images(labels: UInt8[np.ndarray, " n"]) -> Int[np.ndarray, " stops"]:
    """The widgets that say from which test images to which, and their indices; ends the page where there are none."""
    panel = st.sidebar
    digits = panel.text_input(
        "Digits",
        "3580",
        max_chars=6,
        key="digits",
        bind="query-params",
        help="Two to six labels in the order of the walk. 44 goes from one four to another.",
    )
    draw = layout.choose_draw(panel)
    try:
        if not 2 <= len(digits) <= 6 or not digits.isdecimal():
            raise ValueError(f"“{digits}” is not that" if digits else "there are none")
        return choose_stops(labels, [int(digit) for digit in digits], draw)
    except ValueError as error:
        st.info(f"Type two to six digits, such as 3580: {error}.", icon=":material/arrow_back:")
        st.stop()


def facts(model: ExportedModel, reading: Reading | None, best: float | None) -> str:
    """What stands beside a strip; the largest share accepted is marked."""
    lines = layout.name_and_size(model.manifest.model, model)
    if reading is not None:
        share, count = reading.accepted.mean(), len(flips(reading.label))
        mark = " class=best" if share == best else ""
        lines += f"<small{mark}>{share:.0%} accepted</small><small>{count} flip{'s' * (count != 1)}</small>"
    return f"<td>{lines}</td>"


workspace = artifacts.current()
layout.header(
    "Walk",
    "From digit to digit in small steps: in a continuous latent space every step changes little, "
    "and what lies on the way is a digit too.",
    workspace,
)
models = artifacts.load_models(workspace, layout.choose_models(workspace))
test = artifacts.test_split(workspace, next(iter(models.values())).manifest.dataset)
stops = choose_images(test.labels)
panel = st.sidebar
path = layout.choose_one(panel, "Path", {name: name.capitalize() for name in PATHS}, key="path")
panel.caption(ABOUT[path])
moving = panel.toggle("Animation", True, key="play", bind="query-params")
reader = artifacts.load_reader(workspace)

images = to_unit_interval(test.images[stops])
walks = {name: model.decode(walk(model.encode(images).mean, STEPS, path)) for name, model in models.items()}
readings = {name: reader.read(frames) for name, frames in walks.items()} if reader else {}
best = max((reading.accepted.mean() for reading in readings.values()), default=None) if len(models) > 1 else None

scale, every = arrangement(len(stops) - 1, STEPS, len(models))
captions = [f"{test.labels[index]}, {index}" for index in stops]
rows = [f"<tr><th></th><th></th><th>{stops_above(test.images[stops], captions, STEPS // every, scale)}</th></tr>"]
for name, frames in walks.items():
    reading = readings.get(name)
    rows.append(f"<tr>{facts(models[name], reading, best)}{strip(name, frames, reading, every, scale)}</tr>")
count = (len(stops) - 1) * STEPS + 1
measures = f"--frames: {count}; --seconds: {count * MILLISECONDS / 1000}s; --scale: {scale}"
st.html(f'<div class="sheet walk{" moving" * moving}" style="{measures}"><table>{"".join(rows)}</table></div>')
if reader:
    st.caption(
        "Below each strip, the digit that the classifier reads, as high as it is sure: in colour where it accepts "
        f"({reader.manifest.threshold:.1%} or more), a line where its reading flips."
    )
way = "".join(str(test.labels[index]) for index in stops)
layout.offer(panel, f"walk_{way}_{path}.gif", lambda: animation(walks, readings, MILLISECONDS, STEPS))
layout.status(models.values())
