"""The viewer: `streamlit run app/main.py`. Page set-up and routing; everything shown comes from files on disk."""

import gc
from pathlib import Path

import artifacts
import layout
import streamlit as st

from autoencoder.inference import DeviceError

HERE = Path(__file__).resolve().parent
KEPT = {
    "models",
    "images",
    "label",
    "index",
    "draw",
    "count",
    "prior",
    "temperature",
    "seed",
    "side",
    "only",
    "decode",
    "noise",
    "model",
    "term",
    "view",
    "second",
    "every",
    "digits",
    "path",
    "play",
    "plane",
    "across",
    "up",
    "corners",
    "z",
    "revision",
    "both",
}


@st.cache_resource(show_spinner=False)
def freeze_imports() -> None:
    """Keep the garbage collector off what the imports left for good: once per process, not once per run."""
    gc.freeze()


st.set_page_config(page_icon=str(HERE / "icon.svg"), layout="wide")
freeze_imports()
layout.apply_style()
st.logo(str(HERE / "icon.svg"), size="large")
page = st.navigation(
    [
        st.Page(HERE / "reconstruct.py", title="Reconstruct", icon=":material/compare:", default=True),
        st.Page(HERE / "sample.py", title="Sample", icon=":material/casino:"),
        st.Page(HERE / "explore.py", title="Explore", icon=":material/explore:"),
        st.Page(HERE / "walk.py", title="Walk", icon=":material/footprint:"),
        st.Page(HERE / "compare.py", title="Compare", icon=":material/view_column:"),
        st.Page(HERE / "training.py", title="Training", icon=":material/show_chart:"),
        st.Page(HERE / "runs.py", title="Runs", icon=":material/history:"),
    ],
    position="top",
)
# Streamlit keeps what is bound to the link, but not the choices of a link that is left within its first second for a
# page that has them too; and of an option that is gone it leaves the name in the link.
for key in [key for key in st.session_state if key in KEPT]:
    if st.session_state[key] is None:
        del st.session_state[key]  # no choice here is the usual one elsewhere
    else:
        st.session_state[key] = st.session_state[key]
artifacts.watch(artifacts.snapshot())  # before the page, which may stop
try:
    page.run()
except DeviceError as error:
    st.error(f"{error}. Unset `DEVICE` to serve on what works.", icon=":material/error:")
