"""Widgets of the viewer's own, each from three files of components/."""

from pathlib import Path
from typing import Any

import streamlit as st

COMPONENTS = Path(__file__).resolve().parent / "components"


def declare(name: str, shared: str = "") -> Any:
    """A widget, and before its script one that it shares with others: a component has but one."""
    html, css, script = (COMPONENTS.joinpath(f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    before = COMPONENTS.joinpath(f"{shared}.js").read_text("utf-8") if shared else ""
    return st.components.v2.component(name, html=html, css=css, js=f"{before}\n{script}")
