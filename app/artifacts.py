"""What the pipeline has left on disk for the viewer: which root, which models, open sessions, test images.

`dvc repro` deletes a stage's outputs before it runs, so a model stays on screen until its successor can be opened.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from opened import Opened, Stamp, stamp, stamps
from pydantic import Field, TypeAdapter

from autoencoder.config import ParameterError, Parameters, Section
from autoencoder.exported import ExportedModel, load_model
from autoencoder.reader import Reader
from autoencoder.reader import load_reader as open_reader
from autoencoder.verified import ArtifactError

REPOSITORY = Path(__file__).resolve().parents[1]

UNLESS_RUNNING = "If no run is under way: "  # between what is wrong and the command that mends it


class Entry(Section, extra="allow"):
    """What pages read of a model's entry in params.yaml, where a half-typed one is not to end them; stages check all."""

    kind: str
    latent_dim: int = 0
    epochs: int = 0
    network: dict[str, Any] = Field(default_factory=dict)


ENTRIES: TypeAdapter[dict[str, Entry]] = TypeAdapter(Annotated[dict[str, Entry], Field(min_length=1)])


@dataclass(frozen=True)
class Workspace:
    """One root of artifacts: the repository itself, or its `demo` folder."""

    root: Path
    demo: bool
    models: dict[str, dict[str, Any]]  # as in params.yaml, in its order
    outdated: str = ""  # why params.yaml cannot be read now, where the models are those that it had before

    def export(self, name: str) -> Path:
        """The folder of a model's exported files."""
        return self.root / "models" / name / "onnx"

    def exported(self) -> list[str]:
        """Models that can be shown: exported, or still open while their next export is being made."""
        return [
            name
            for name in self.models
            if (self.export(name) / "manifest.json").exists() or opened_models().last(self.export(name))
        ]

    def mend(self, target: str) -> str:
        """The command that makes a stage's outputs again."""
        return "`make demo`" if self.demo else f"`dvc repro {target}`"


@dataclass(frozen=True)
class TestSplit:
    """The test images of one data set; read-only, shared by all viewers."""

    images: UInt8[np.ndarray, "n 28 28"]
    labels: UInt8[np.ndarray, " n"]


def root() -> Path:
    """The repository, unless AUTOENCODER_ROOT names another folder of the same layout."""
    return Path(os.environ.get("AUTOENCODER_ROOT") or REPOSITORY).resolve()


def open_workspace(folder: Path, demo: bool) -> Workspace:
    """The root with the models its params.yaml lists; none where there is no such file.

    While the file cannot be read, as it is being typed, those that it listed before.

    Raises:
        ParameterError: it cannot be read as the pages need it, and never could.
        OSError: the same.
    """
    path, before = folder / "params.yaml", _models_read()
    if not path.exists():
        return Workspace(folder, demo, {})
    try:
        before[path] = _read_models(path, stamp(path))
    except (ParameterError, OSError) as error:
        if path not in before:
            raise
        return Workspace(folder, demo, before[path], str(error))
    return Workspace(folder, demo, before[path])


@st.cache_resource(show_spinner=False)
def _models_read() -> dict[Path, dict[str, dict[str, Any]]]:
    """The models of each params.yaml as they were last read, for all viewers of this process."""
    return {}


@st.cache_data(max_entries=4, show_spinner=False)
def _read_models(path: Path, version: Stamp | None) -> dict[str, dict[str, Any]]:  # noqa: ARG001 - a cache key
    entries = Parameters.load(path).read("models", ENTRIES.validate_python)
    return {name: entry.model_dump(exclude_unset=True) for name, entry in entries.items()}


def current() -> Workspace:
    """The repository if it has an exported model, else the demo if that has one, else the repository.

    A params.yaml that could never be read ends the page with its message.
    """
    try:
        own = open_workspace(root(), demo=False)
        if own.exported():
            return own  # whatever is wrong with the demo
        demo = open_workspace(root() / "demo", demo=True)
    except (ParameterError, OSError) as error:
        st.error(f"{error}", icon=":material/error:")
        st.stop()
    return demo if demo.exported() else own


def load_models(workspace: Workspace, names: list[str]) -> dict[str, ExportedModel]:
    """The models that can be shown, opened; for each other a message with the command that mends it.

    A model that cannot be opened any more stays as it was. While the data set changes, one of another than the first is
    left out: pages show the same images to all. Without any model the page stops.
    """
    models: dict[str, ExportedModel] = {}
    for name in names:
        folder, mend = workspace.export(name), workspace.mend(f"export@{name}")
        try:
            model = opened_models().current(folder, mend)
        except ArtifactError as error:
            place, last = f"`{error.path.relative_to(workspace.root)}` {error.problem}", opened_models().last(folder)
            if last is None:
                st.error(f"**{name}** cannot be shown: {place}. To mend it: {mend}", icon=":material/error:")
                continue
            model = last
            st.warning(
                f"**{name}** is shown as it was last opened: {place}. {UNLESS_RUNNING}{mend}", icon=":material/history:"
            )
        first = next(iter(models.values()), model).manifest
        if model.manifest.data_sha256 != first.data_sha256:
            st.warning(
                f"**{name}** is left out: it was exported for other data ({model.manifest.dataset}) than "
                f"{first.model} ({first.dataset}). {UNLESS_RUNNING}{mend}",
                icon=":material/history:",
            )
            continue
        models[name] = model
    if not models:
        st.stop()
    return models


def load_reader(workspace: Workspace) -> Reader | None:
    """The digit classifier, for all pages; without one, None and a message with the command that makes it.

    A classifier that cannot be opened any more stays as it was.
    """
    folder = workspace.export("classifier")
    mend = workspace.mend("export_classifier")
    try:
        return opened_readers().current(folder, mend)
    except ArtifactError as error:
        place, last = f"`{error.path.relative_to(workspace.root)}` {error.problem}", opened_readers().last(folder)
    if last:
        st.warning(
            f"The digit classifier is used as it was last opened: {place}. {UNLESS_RUNNING}{mend}",
            icon=":material/history:",
        )
    else:
        st.info(f"No reading without the digit classifier: {place}. To make it: {mend}", icon=":material/spellcheck:")
    return last


def test_split(workspace: Workspace, dataset: str) -> TestSplit:
    """The data set's test images; a missing or damaged file ends the page with the command that makes it."""
    path = workspace.root / "data" / f"{dataset}.npz"
    try:
        return _read_test_split(str(path), stamp(path))
    except Exception as error:  # numpy, zipfile and zlib each have errors of their own for a damaged archive
        problem = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({type(error).__name__})"
        st.error(
            f"`{path.relative_to(workspace.root)}` {problem}. To mend it: {workspace.mend('download')}",
            icon=":material/error:",
        )
        st.stop()


def snapshot() -> tuple[Stamp | None, ...]:
    """The stamps of everything that pages with models show; different after any `dvc repro` that matters."""
    found: list[Stamp | None] = []
    for place in (root(), root() / "demo"):
        found += [stamp(place / "params.yaml"), stamp(place / "data"), stamp(place / "report" / "claims.png")]
        found += [stamp(path) for path in sorted(place.glob("details/*.json"))]
        found += [item for folder in sorted(place.glob("models/*/onnx")) for item in stamps(folder)]
    return tuple(found)


@st.fragment(run_every=1)
def watch(seen: tuple[Stamp | None, ...]) -> None:
    """Run the page again as soon as the files differ from those it was made from."""
    if snapshot() != seen:
        st.rerun()


@st.cache_resource(show_spinner=False)
def opened_models() -> Opened[ExportedModel]:
    """For all viewers of this process."""
    return Opened(load_model)


@st.cache_resource(show_spinner=False)
def opened_readers() -> Opened[Reader]:
    """For all viewers of this process."""
    return Opened(open_reader)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_test_split(path: str, stamp: Stamp | None) -> TestSplit:  # noqa: ARG001 - a cache key
    with np.load(path, allow_pickle=False) as arrays:
        split = TestSplit(arrays["test_images"], arrays["test_labels"])
    for array in (split.images, split.labels):
        array.setflags(write=False)
    return split
