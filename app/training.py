"""Page: a training as it runs in another terminal, or as it ran: its curve and its reconstructions, epoch by epoch."""

import math
from pathlib import Path
from typing import Any

import artifacts
import layout
import streamlit as st
from artifacts import Workspace
from curves import (
    SPLITS,
    TERMS,
    chart,
    curve_path,
    first_picture,
    is_running,
    read_curve,
    read_pictures,
    read_timings,
    written,
)

REFRESH_SECONDS = 1.5


def followed() -> Workspace:
    """The repository as soon as a run has begun there, even if only the demo has exported models yet."""
    shown = artifacts.current()
    if not shown.demo:
        return shown
    own = artifacts.open_workspace(artifacts.root(), demo=False)
    started = any((own.root / "models" / name / "epochs").exists() for name in own.models)
    return own if started else shown


def progress(workspace: Workspace, name: str, epoch: int) -> str:
    """One line: how far this training is, whether it is still going on, where, how fast, and how long it will take."""
    planned = workspace.models[name].get("epochs", epoch)
    timings = read_timings(workspace.root / "timings" / f"train_{name}.json", since=first_picture(workspace, name))
    facts = "".join(f" · {timings[fact]}" for fact in ("images_per_second", "device") if fact in timings)
    if epoch >= planned:
        return f"Finished: {epoch} epochs{facts}"
    if is_running(workspace, name):
        left = f" · {timings['seconds_left']} left" if "seconds_left" in timings else ""
        return f":primary[:material/radio_button_checked: **Training**] · epoch {epoch} of {planned}{left}{facts}"
    command = workspace.mend(f"train@{name}")
    return (
        f"Stopped at epoch {epoch} of {planned}; {command} continues it, or starts over if its parameters have changed"
    )


def choose_epoch(name: str, pictures: dict[int, Path]) -> int:
    """The scrubber; left at its right end it moves on with the training."""
    newest = max(pictures)
    key, seen = f"epoch_{name}", f"newest_epoch_{name}"
    chosen = st.session_state.get(key, newest)
    if chosen >= st.session_state.get(seen, newest) or chosen not in pictures:
        st.session_state[key] = newest
    st.session_state[seen] = newest
    if len(pictures) == 1:
        return newest
    return st.select_slider("Epoch", list(pictures), key=key, persist_state="session")


def show_curve(workspace: Workspace, name: str, rows: list[dict[str, Any]]) -> None:
    """How far the training is, and the curve of a chosen term."""
    used = [term for term in TERMS if any(math.isfinite(row.get(term, 0)) and row.get(term) for row in rows)]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(progress(workspace, name, max(row["epoch"] for row in rows)), width="content")
        words = {term: TERMS[term] for term in used or ["loss"]}
        term = layout.choose_one(st, "Term", words, key="term", label_visibility="collapsed")
    st.vega_lite_chart(rows, chart(rows, term), height=330, width="stretch", key="curve")


def show_pictures(workspace: Workspace, name: str) -> None:
    """The picture of a chosen epoch."""
    pictures = read_pictures(workspace.root / "models" / name / "epochs")
    if not pictures:
        return
    epoch = choose_epoch(name, pictures)
    try:
        picture = pictures[epoch].read_bytes()
    except OSError:  # a new run has just begun and removed it
        return
    strip = layout.embed(picture, f"validation images over their reconstructions after epoch {epoch}")
    st.html(f'<div class="strip">{strip}</div>')
    st.caption(f"Validation images over their reconstructions after epoch {epoch}.")


@st.fragment(run_every=REFRESH_SECONDS)
def live(workspace: Workspace, name: str) -> None:
    """Everything that changes while a training runs."""
    rows = read_curve(curve_path(workspace, name))
    if not rows:
        st.info(
            f"No curve of **{name}** yet: it appears here after the first epoch of {workspace.mend(f'train@{name}')}.",
            icon=":material/hourglass_empty:",
        )
        return
    if len(rows) == len(SPLITS) and "epochs" not in workspace.models[name]:
        losses = ", ".join(f"{row['loss']:.5g} on {row['split']}" for row in rows)
        st.markdown(f"Solved in closed form, so there is no curve; loss {losses}.")
    else:
        show_curve(workspace, name, rows)
    show_pictures(workspace, name)
    if others := [other for other in workspace.models if other != name and is_running(workspace, other)]:
        st.caption(f"Training now: **{'**, **'.join(others)}**")


workspace = followed()
layout.header(
    "Training",
    "Follow a training run in another terminal, or review a finished one.",
    workspace,
)
if not workspace.models:
    st.info("There is no params.yaml here, so there are no models to follow.", icon=":material/hourglass_empty:")
    st.stop()

names = list(workspace.models)
# Chosen once per session: a default that moves with the runs would take the page away from its reader.
default = st.session_state.setdefault("newest_curve", max(names, key=lambda name: written(workspace, name)))
default = default if default in names else names[0]
layout.follow_default("model", default)
name = st.sidebar.pills("Model", names, default=default, required=True, key="model", bind="query-params") or default
live(workspace, name)
layout.status(artifacts.opened_models().all())
