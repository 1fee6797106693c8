"""How every page looks: style sheet, header with its status line, the choice of models, pictures and tables as HTML."""

import base64
import html
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from artifacts import Workspace
from jaxtyping import UInt8
from PIL import Image

from autoencoder.exported import ExportedModel
from autoencoder.inference import CUDA

STYLE = Path(__file__).resolve().parent / "style.css"
DEMO = "Demo: scikit-learn digits, not MNIST"


def apply_style() -> None:
    """Load the style sheet; once per run, it takes no room on the page."""
    st.html(STYLE)


def header(title: str, sentence: str, workspace: Workspace) -> None:
    """The page's title, its one sentence, and what is shown if that is not the workspace itself, or not as it is now."""
    badge = f'<span class="badge">{DEMO}</span>' if workspace.demo else ""
    st.html(f'<header class="page"><h1>{title}{badge}</h1><p>{html.escape(sentence)}</p></header>')
    if workspace.outdated:
        st.warning(f"{workspace.outdated}. The models are those that it listed before.", icon=":material/history:")


def status(models: Iterable[ExportedModel]) -> None:
    """The provider that really serves what is on screen and, on the CPU, why."""
    sessions = {(session.provider, session.reason) for model in models for session in (model.encoder, model.decoder)}
    served = "; ".join(
        "onnxruntime on CUDA" if provider == CUDA else f"onnxruntime on CPU: {reason}"
        for provider, reason in sorted(sessions)
    )
    served = served or "onnxruntime: no model is open yet"
    st.html(f'<footer class="status">{html.escape(served)}</footer>')


def choose_models(workspace: Workspace) -> list[str]:
    """The models to compare, kept across pages and in the URL; ends the page where there is nothing to choose."""
    names = exported_names(workspace)
    # two dimensions are too few to reconstruct well: those models are for maps, and joined on request
    default = [name for name in names if workspace.models[name].get("latent_dim", 20) > 2] or names
    follow_default("models", default)
    chosen = st.sidebar.pills(
        "Models", names, selection_mode="multi", default=default, key="models", bind="query-params"
    )
    absent = [name for name in workspace.models if name not in names]
    if absent:
        commands = dict.fromkeys(workspace.mend(f"export@{name}") for name in absent)  # the demo has one for all
        st.sidebar.caption(f"Not exported yet: {', '.join(absent)} ({', '.join(commands)})")
    if not chosen:
        st.info("Choose at least one model.", icon=":material/arrow_back:")
        st.stop()
    return [name for name in names if name in chosen]


def choose_model(workspace: Workspace) -> str:
    """The one model to look into; a VAE of two dimensions shows best what a latent space is."""
    names = exported_names(workspace)
    described = {name: workspace.models[name] for name in names}
    best = max(names, key=lambda name: (described[name].get("kind") == "vae", described[name].get("latent_dim") == 2))
    if st.session_state.get("z"):
        st.session_state.pop("default_model", None)  # whoever has gone to a point has chosen its model
    follow_default("model", best)
    return st.sidebar.pills("Model", names, default=best, required=True, key="model", bind="query-params") or best


def choose_one(panel: Any, label: str, options: Mapping[str, str], key: str, **more: Any) -> str:
    """The name of one of the options, usually the first; kept across pages and in the URL, where it may be left empty.

    Args:
        panel: where the buttons go: `st` or one of its containers.
        label: what is chosen.
        options: names, and the words on the buttons.
        key: in the session and in the URL.
        more: of `st.segmented_control`.
    """
    default = next(iter(options))
    return (
        panel.segmented_control(
            label,
            list(options),
            format_func=options.__getitem__,
            default=default,
            required=True,
            key=key,
            bind="query-params",
            **more,
        )
        or default
    )


def choose_draw(panel: Any) -> int:
    """The number of a choice of images by chance."""
    draw: int = panel.number_input(
        "Shuffle", 0, 9999, 0, key="draw", bind="query-params", help="Each number is another choice of images."
    )
    return draw


def offer(panel: Any, file_name: str, make: Callable[[], bytes], **more: Any) -> None:
    """A button that downloads a file, which is made when it is asked for."""
    panel.download_button(
        f"Download {Path(file_name).suffix[1:].upper()}",
        make,
        file_name=file_name,
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        **more,
    )


def follow_default(key: str, default: object) -> None:
    """Let a kept value that nobody has chosen be the default of this moment and page, not of an earlier one."""
    earlier = f"default_{key}"
    if key not in st.session_state:
        st.session_state[earlier] = default
    elif earlier in st.session_state:
        if st.session_state[key] == st.session_state[earlier]:
            st.session_state[key] = st.session_state[earlier] = default
        else:
            del st.session_state[earlier]  # chosen, for good


def exported_names(workspace: Workspace) -> list[str]:
    """The models that can be shown; ends the page where there is none."""
    names = workspace.exported()
    if not names:
        st.info(
            "No model has been exported here yet. Type `dvc repro` for all of them, or `make demo` for a small "
            "offline demo; this page notices by itself."
            if workspace.models
            else "There is no params.yaml here, so there are no models to show.",
            icon=":material/hourglass_empty:",
        )
        st.stop()
    return names


def picture(pixels: UInt8[np.ndarray, "..."], alt: str, scale: int = 1) -> str:
    """An image tag that holds the picture itself, every pixel a square of `scale` screen pixels."""
    height, width = pixels.shape[:2]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")  # the few bytes that `encode_png` saves take it eight times as long
    return embed(buffer.getvalue(), alt, f'width="{width * scale}" height="{height * scale}"')


def embed(png: bytes, alt: str, size: str = "") -> str:
    """An image tag that holds this PNG, in its own size unless told."""
    data = base64.b64encode(png).decode()
    return f'<img class="pixels" src="data:image/png;base64,{data}" alt="{html.escape(alt, quote=True)}" {size}>'


def table(kind: str, rows: Iterable[Iterable[str]]) -> str:
    """A table of these cells, each with its tag, that looks as the style sheet has this kind."""
    lines = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f'<div class="{kind}"><table>{lines}</table></div>'


def name_and_size(name: str, model: ExportedModel) -> str:
    """A model in a table: its name over its size."""
    return f'<span class="name">{html.escape(name)}</span><small>{model.manifest.latent_dim} dimensions</small>'
