"""What the pipeline has left on disk for the viewer: which root, which models, open sessions, test images.

`dvc repro` deletes a stage's outputs before it runs, so a model stays on screen until its successor can be opened.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from pydantic import Field, TypeAdapter

from autoencoder.comparison import REAL
from autoencoder.config import ParameterError, Parameters, Section
from autoencoder.exported import ExportedModel, load_model
from autoencoder.reader import Reader
from autoencoder.reader import load_reader as open_reader
from autoencoder.verified import ArtifactError

REPOSITORY = Path(__file__).resolve().parents[1]
EXPORTED_FILES = ("manifest.json", "latents.npz", "encoder.onnx", "decoder.onnx", "classifier.onnx")

Stamp = tuple[str, int, int, int]


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

    def export(self, name: str) -> Path:
        """The folder of a model's exported files."""
        return self.root / "models" / name / "onnx"

    def exported(self) -> list[str]:
        """Models that can be shown: exported, or still open while their next export is being made."""
        return [
            name
            for name in self.models
            if (self.export(name) / "manifest.json").exists() or self.export(name) in last_good()
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

    Raises:
        ParameterError: the file cannot be read as the pages need it.
    """
    path = folder / "params.yaml"
    if not path.exists():
        return Workspace(folder, demo, {})
    entries = Parameters.load(path).read("models", ENTRIES.validate_python)
    return Workspace(folder, demo, {name: entry.model_dump(exclude_unset=True) for name, entry in entries.items()})


def current() -> Workspace:
    """The repository if it has an exported model, else the demo if that has one, else the repository.

    A params.yaml that cannot be read ends the page with its message.
    """
    try:
        own, demo = open_workspace(root(), demo=False), open_workspace(root() / "demo", demo=True)
    except ParameterError as error:
        st.error(f"{error}", icon=":material/error:")
        st.stop()
    return demo if demo.exported() and not own.exported() else own


def load_models(workspace: Workspace, names: list[str]) -> dict[str, ExportedModel]:
    """The models that can be shown, opened; for each other a message with the command that mends it.

    A model that cannot be opened any more stays as it was. Without any model the page stops.
    """
    models = {}
    for name in names:
        folder = workspace.export(name)
        try:
            models[name] = _open(str(folder), stamps(folder), workspace.mend(f"export@{name}"))
            last_good()[folder] = models[name]
        except ArtifactError as error:
            place = f"`{error.path.relative_to(workspace.root)}` {error.problem}"
            if folder in last_good():
                models[name] = last_good()[folder]
                st.warning(
                    f"**{name}** is shown as it was last opened: {place}. If no run is under way: {error.mend}",
                    icon=":material/history:",
                )
            else:
                st.error(f"**{name}** cannot be shown: {place}. To mend it: {error.mend}", icon=":material/error:")
    if not models:
        st.stop()
    return models


def details(workspace: Workspace, names: list[str]) -> dict[str, dict[str, Any]]:
    """What was measured of each; a missing or damaged file ends the page with the command that makes it."""
    found = {name: measured(workspace, name) for name in names}
    for name, figures in found.items():
        if not figures:
            mend = workspace.mend("reference" if name == REAL else f"evaluate@{name}")
            st.error(f"`details/{name}.json` cannot be read. To mend it: {mend}", icon=":material/error:")
            st.stop()
    return found


def measured(workspace: Workspace, name: str) -> dict[str, Any]:
    """What the pipeline has measured of a model; nothing where that cannot be read."""
    try:
        figures = json.loads((workspace.root / "details" / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}
    return figures if isinstance(figures, dict) else {}


def load_reader(workspace: Workspace) -> Reader | None:
    """The digit classifier, for all pages; without one, None and a message with the command that makes it.

    A classifier that cannot be opened any more stays as it was.
    """
    folder = workspace.export("classifier")
    mend = workspace.mend("export_classifier")
    try:
        last_readers()[folder] = _open_reader(str(folder), stamps(folder), mend)
    except ArtifactError as error:
        place = f"`{error.path.relative_to(workspace.root)}` {error.problem}"
        if folder in last_readers():
            st.warning(
                f"The digit classifier is used as it was last opened: {place}. If no run is under way: {mend}",
                icon=":material/history:",
            )
        else:
            st.info(
                f"No reading without the digit classifier: {place}. To make it: {mend}", icon=":material/spellcheck:"
            )
    return last_readers().get(folder)


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


def stamp(path: Path) -> Stamp | None:
    """What changes whenever a file is replaced, without reading it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (str(path), status.st_mtime_ns, status.st_size, status.st_ino)


def stamps(folder: Path) -> tuple[Stamp | None, ...]:
    """The stamps of one export."""
    return tuple(stamp(folder / name) for name in EXPORTED_FILES)


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
def last_good() -> dict[Path, ExportedModel]:
    """The last model opened from each folder, for all viewers of this process."""
    return {}


@st.cache_resource(show_spinner=False)
def last_readers() -> dict[Path, Reader]:
    """The last classifier opened from each folder, for all viewers of this process."""
    return {}


@st.cache_resource(max_entries=32, show_spinner=False)
def _open(folder: str, stamps: tuple[Stamp | None, ...], mend: str) -> ExportedModel:  # noqa: ARG001 - a cache key
    return load_model(Path(folder), os.environ.get("DEVICE", "auto"), mend=mend)


@st.cache_resource(max_entries=4, show_spinner=False)
def _open_reader(folder: str, stamps: tuple[Stamp | None, ...], mend: str) -> Reader:  # noqa: ARG001 - a cache key
    return open_reader(Path(folder), os.environ.get("DEVICE", "auto"), mend=mend)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_test_split(path: str, stamp: Stamp | None) -> TestSplit:  # noqa: ARG001 - a cache key
    with np.load(path, allow_pickle=False) as arrays:
        split = TestSplit(arrays["test_images"], arrays["test_labels"])
    for array in (split.images, split.labels):
        array.setflags(write=False)
    return split
