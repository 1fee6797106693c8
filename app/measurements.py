"""What was measured of the models: figures, those of what is on screen and not of what was there before."""

import json
from pathlib import Path
from typing import Any

import streamlit as st
from artifacts import UNLESS_RUNNING, Workspace

from autoencoder.comparison import REAL


def load(workspace: Workspace, names: list[str]) -> dict[str, dict[str, Any]]:
    """The figures of each; for one without, a message with the command that makes them."""
    found = {name: read(workspace, name) for name in names}
    for name, figures in found.items():
        if not figures:
            stages = "reference" if name == REAL else f"evaluate@{name}"
            mend = workspace.mend(f"{stages} export_classifier")
            st.warning(
                f"**{'Real images' if name == REAL else name}**: no figures in `details/{name}.json`, or those of an "
                f"earlier export or classifier. {UNLESS_RUNNING}{mend}",
                icon=":material/history:",
            )
    return {name: figures for name, figures in found.items() if figures}


def read(workspace: Workspace, name: str) -> dict[str, Any]:
    """The figures of a model.

    Nothing where they cannot be read, or were measured of an earlier export or with another classifier than there is.
    """
    figures = _read_json(workspace.root / "details" / f"{name}.json")
    exported = {
        "latents": _recorded(workspace.export(name), "files", "latents.npz", "sha256"),
        "classifier": _recorded(workspace.export("classifier"), "classifier_sha256"),
    }
    # what is not exported, or was measured by an earlier version, says nothing against the figures
    stale = any(digest and not digest.startswith(str(figures.get(what, ""))) for what, digest in exported.items())
    return {} if stale else figures


def _recorded(folder: Path, *keys: str) -> str:
    """A digest in an export's manifest; an empty one where there is none."""
    value: Any = _read_json(folder / "manifest.json")
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a file; an empty one where that cannot be read."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
