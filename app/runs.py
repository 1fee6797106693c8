"""Page: which run is on screen, and how it differs from the last commit or from an experiment."""

import html
from pathlib import Path

import artifacts
import experiments
import layout
import streamlit as st
from artifacts import Workspace
from experiments import Difference, ExperimentError
from opened import Stamp, stamp

from autoencoder.catalog import BY_NAME
from autoencoder.exported import ExportedModel, load_model
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.reconstruction import reconstruct
from autoencoder.sheets import difference_image
from autoencoder.verified import ArtifactError

SHOWN = 8  # hexadecimal digits of a hash
IMAGES = 8
COMPARED = ("params.yaml", "dvc.yaml", "metrics/*.json")  # what DVC reads of the workspace
Seen = tuple[str, tuple[Stamp | None, ...]]  # the state of git, and of those


def facts(models: dict[str, ExportedModel]) -> str:
    """Where every model on screen comes from: data, the parameters that it was trained with, files."""
    rows: dict[str, dict[str, str]] = {}
    for name, model in models.items():
        manifest = model.manifest
        column = {
            f"{manifest.dataset}.npz, sha256": manifest.data_sha256[:SHOWN],
            **{f"{file}, sha256": entry.sha256[:SHOWN] for file, entry in sorted(manifest.files.items())},
            "onnxruntime and torch agree within": _value(model.agreement),
            **{key: _value(value) for key, value in manifest.params.items()},
        }
        for key, value in column.items():
            rows.setdefault(key, {})[name] = value
    lines = [["<th></th>", *(f"<th>{html.escape(name)}</th>" for name in models)]]
    for key, cells in rows.items():
        lines.append([f"<th>{html.escape(key)}</th>", *(f"<td>{cells.get(name, '')}</td>" for name in models)])
    return layout.table("figures wrapped", lines)


def changes(found: list[Difference]) -> str:
    """What differs, there and here; a figure that is better here is marked."""
    lines = [["<th></th>", "<th>there</th>", "<th>here</th>"]]
    for item in found:
        name = Path(item.path).stem
        label = item.key if name == "params" else f"{name}: {item.key}"
        mark = " class=best" if is_better(item) else ""
        cells = f"<td>{_value(item.there)}</td>", f"<td{mark}>{_value(item.here)}</td>"
        lines.append([f"<th>{html.escape(label)}</th>", *cells])
    return layout.table("figures wrapped", lines)


def is_better(item: Difference) -> bool:
    """Whether the workspace's figure is the better one; False where that cannot be said."""
    if not all(isinstance(value, int | float) for value in (item.there, item.here)):
        return False
    metric = BY_NAME.get(item.key)
    if metric is None or metric.better == "neither" or item.here == item.there:
        return False
    return (item.here < item.there) == (metric.better == "lower")


@st.cache_data(max_entries=16, show_spinner="Asking DVC …")
def ask(root: Path, revision: str, seen: Seen) -> tuple[list[Difference], list[Difference]]:  # noqa: ARG001 - a cache key
    """Parameters and figures that differ from a revision."""
    return experiments.parameters(root, revision), experiments.figures(root, revision)


@st.cache_data(max_entries=4, show_spinner="Asking DVC …")
def revisions(root: Path, git: str) -> list[str]:  # noqa: ARG001 - a cache key
    """What the workspace can be compared with."""
    return experiments.revisions(root)


@st.cache_resource(max_entries=8, show_spinner="Fetching the export from DVC's cache …")
def fetched(root: Path, revision: str, model: str, git: str) -> ExportedModel:  # noqa: ARG001 - a cache key
    """A model as a revision has it, opened."""
    with experiments.export(root, revision, model) as folder:
        return load_model(folder, "cpu")


def compare(workspace: Workspace, models: dict[str, ExportedModel]) -> None:
    """The choice of another run; parameters and figures that differ from it, and images through both exports."""
    root, git = workspace.root, experiments.state(workspace.root)
    files = tuple(stamp(path) for pattern in COMPARED for path in sorted(root.glob(pattern)))
    try:
        revision = st.selectbox("Compare the workspace with", revisions(root, git), key="revision", bind="query-params")
        parameters, figures = ask(root, revision, (git, files))
        if not parameters and not figures:
            st.info(f"Parameters and figures are those of {revision}.", icon=":material/check:")
        tables = [(title, found) for title, found in (("Parameters", parameters), ("Figures", figures)) if found]
        for column, (title, found) in zip(st.columns(2), tables, strict=False):
            column.subheader(title)
            column.html(changes(found))
        model = st.segmented_control(
            "The same test images through both exports of", list(models), key="both", bind="query-params"
        )
        if model:
            st.html(both(models[model], fetched(root, revision, model, git), workspace))
    except ExperimentError as error:
        st.info(f"DVC has no answer: {error}", icon=":material/history_toggle_off:")
    except ArtifactError as error:
        st.info(
            f"The export of {revision} cannot be opened here: {error.path.name} {error.problem}.",
            icon=":material/history_toggle_off:",
        )


def both(here: ExportedModel, there: ExportedModel, workspace: Workspace) -> str:
    """The first test images through both."""
    pixels = artifacts.test_split(workspace, here.manifest.dataset).images[:IMAGES]
    images = to_unit_interval(pixels)
    decoded = {"there": reconstruct(there, images), "here": reconstruct(here, images)}
    rows = {
        "image": pixels,
        **{name: to_uint8(value) for name, value in decoded.items()},
        "here - there": difference_image(decoded["there"], decoded["here"]),
    }
    lines = (
        [f"<th>{name}</th>", *(f"<td>{layout.picture(picture, name, 3)}</td>" for picture in pictures)]
        for name, pictures in rows.items()
    )
    return layout.table("figures wrapped", lines)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items())
    return "" if value is None else html.escape(f"{value:.5g}" if isinstance(value, float) else str(value))


workspace = artifacts.current()
layout.header("Runs", "Which run is on screen, and what another one would have shown.", workspace)
models = artifacts.load_models(workspace, layout.choose_models(workspace))
if workspace.demo:
    st.info("The demo is not in git: there is no other run to compare it with.", icon=":material/history_toggle_off:")
else:
    compare(workspace, models)
st.subheader("On screen")
st.html(facts(models))
if changed := [name for name, model in models.items() if workspace.models[name] != model.manifest.params]:
    mend = workspace.mend(" ".join(f"export@{name}" for name in changed))
    st.caption(f"params.yaml has since changed for {', '.join(changed)}: {mend} follows it.")
layout.status(models.values())
