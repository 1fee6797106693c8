"""Exported files, checked before they are used: a graph with a flipped bit loads, runs and is quietly wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from autoencoder.files import sha256
from autoencoder.inference import SCHEMA_VERSION, DeviceError, Session, first_line, open_session, zeros

MAX_BYTES = 2**31  # of one file in the format of ONNX, which is protobuf's

Shapes = Mapping[str, tuple[int, ...]]
Parsed = TypeVar("Parsed", bound=BaseModel)


class ArtifactError(ValueError):
    """An exported file is absent, damaged, or not what its manifest says."""

    def __init__(self, path: Path, problem: str, mend: str) -> None:
        super().__init__(f"{path}: {problem}. To mend it: {mend}")
        self.path, self.problem, self.mend = path, problem, mend


class UnfitError(Exception):
    """A check that failed, without the file's name."""


class FileEntry(BaseModel):
    """What a manifest says about one file."""

    model_config = ConfigDict(frozen=True)

    role: Literal["encoder", "decoder", "latents", "classifier"]
    sha256: str
    bytes: PositiveInt


@contextmanager
def naming(path: Path, mend: str) -> Iterator[None]:
    """Whatever goes wrong with this file becomes an ArtifactError that names it; a DeviceError stays one."""
    try:
        yield
    except (DeviceError, ArtifactError):
        raise
    except FileNotFoundError:
        raise ArtifactError(path, "no such file", mend) from None
    except UnfitError as error:
        raise ArtifactError(path, str(error), mend) from None
    except Exception as error:  # onnxruntime's and zipfile's errors share no narrower base class
        raise ArtifactError(path, f"cannot be opened: {first_line(error)}", mend) from error


def require(condition: bool, problem: str) -> None:
    """Raise UnfitError unless the condition holds."""
    if not condition:
        raise UnfitError(problem)


def read_manifest(path: Path, schema: type[Parsed]) -> Parsed:
    """The manifest, parsed and checked.

    Raises:
        UnfitError: it is no manifest, or of another version.
    """
    try:
        return schema.model_validate_json(read(path))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"]))
        if key == "schema_version" and problem["type"] != "missing":
            raise UnfitError(f"has schema_version {problem['input']!r}, this version reads {SCHEMA_VERSION}") from None
        raise UnfitError(f"is not a manifest: {key + ': ' if key else ''}{problem['msg']}") from None


def read(path: Path) -> bytes:
    """The file, unless it is larger than allowed: the size is looked at before anything is read.

    Raises:
        UnfitError: it is.
    """
    size = path.stat().st_size
    require(size <= MAX_BYTES, f"has {size:,} bytes, more than the {MAX_BYTES:,} allowed")
    return path.read_bytes()


def read_listed(path: Path, role: str, files: Mapping[str, FileEntry]) -> bytes:
    """The file's bytes, once its size and hash are those of the manifest.

    Raises:
        UnfitError: they are not, or the manifest does not list it in that role.
    """
    entry = files.get(path.name)
    require(entry is not None and entry.role == role, f"is not listed in the manifest as the {role}")
    assert entry is not None
    content = read(path)
    require(len(content) == entry.bytes, f"has {len(content):,} bytes where the manifest says {entry.bytes:,}")
    require(sha256(content) == entry.sha256, "is not the file that was exported (sha256 differs)")
    return content


def open_graph(content: bytes, expected: Mapping[str, str], inputs: Shapes, outputs: Shapes, device: str) -> Session:
    """A session whose metadata, names and shapes are the expected ones; two rows of zeros give finite numbers.

    Raises:
        UnfitError: one of these is not so.
        DeviceError: see `open_session`.
    """
    session = open_session(content, device)
    graph = session.session
    metadata = graph.get_modelmeta().custom_metadata_map
    for key, value in {"schema_version": str(SCHEMA_VERSION), **expected}.items():
        require(metadata.get(key) == value, f"says {key} = {metadata.get(key)!r} where {value!r} belongs")
    for nodes, shapes in ((graph.get_inputs(), inputs), (graph.get_outputs(), outputs)):
        found = {node.name: tuple(node.shape) for node in nodes}
        wanted = ", ".join(f"{name} [batch, {', '.join(map(str, shape))}]" for name, shape in shapes.items())
        fits = found.keys() == shapes.keys() and all(found[name][1:] == shape for name, shape in shapes.items())
        require(fits, f"has {found} where {wanted} belongs")
        require(all(not isinstance(shape[0], int) for shape in found.values()), "has a fixed batch size")
    results = session.run(zeros(graph))
    require(all(np.isfinite(value).all() for value in results.values()), "computes values that are not finite")
    return session
