"""An exported model as the pipeline left it on disk: checked, opened, ready to encode and decode.

Nothing is trusted before it is checked: a graph with a flipped bit loads, runs and is quietly wrong. Apart from
inference.py, so that an edit here exports nothing again.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from autoencoder.inference import SCHEMA_VERSION, DeviceError, Session, first_line, open_session, zeros
from autoencoder.priors import Prior, exported_priors

MAX_BYTES = 256 * 2**20  # the largest export here has some 4 MB; what is larger is not ours

Shapes = Mapping[str, tuple[int, ...]]


class ArtifactError(ValueError):
    """An exported file is absent, damaged, or not what its manifest says."""

    def __init__(self, path: Path, problem: str, mend: str) -> None:
        super().__init__(f"{path}: {problem}. To mend it: {mend}")
        self.path, self.problem, self.mend = path, problem, mend


class FileEntry(BaseModel):
    """What the manifest says about one file."""

    model_config = ConfigDict(frozen=True)

    role: Literal["encoder", "decoder", "latents"]
    sha256: str
    bytes: PositiveInt


class Manifest(BaseModel):
    """manifest.json: which model this is, and the size and hash of each of its files."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1]
    model: str
    kind: Literal["pca", "ae", "vae", "ae_article", "vae_article"]
    latent_dim: PositiveInt
    dataset: str
    data_sha256: str
    files: dict[str, FileEntry]
    parity: dict[str, Any]


@dataclass(frozen=True)
class Latents:
    """Codes of the test images, and the priors that the model can be sampled from, by name."""

    test_mean: Float32[np.ndarray, "test latent_dim"]
    test_labels: UInt8[np.ndarray, " test"]
    priors: dict[str, Prior]


@dataclass(frozen=True)
class Encoding:
    """What the encoder says of each image; `log_var` is None where the model is not a VAE."""

    mean: Float32[np.ndarray, "batch latent_dim"]
    log_var: Float32[np.ndarray, "batch latent_dim"] | None


@dataclass(frozen=True)
class ExportedModel:
    """A checked export, ready to run; one instance serves all threads."""

    manifest: Manifest
    encoder: Session
    decoder: Session
    latents: Latents

    def encode(self, images: Float[np.ndarray, "batch 28 28"] | Float[np.ndarray, "batch 1 28 28"]) -> Encoding:
        """Codes of images with intensities in [0, 1]; the mean is the deterministic one."""
        outputs = self.encoder.run({"image": images.reshape(-1, 1, 28, 28).astype(np.float32, copy=False)})
        return Encoding(outputs["mean"], outputs.get("log_var"))

    def decode(self, latents: Float[np.ndarray, "batch latent_dim"]) -> Float32[np.ndarray, "batch 28 28"]:
        """Images with intensities in [0, 1]."""
        return self.decoder.run({"latent": latents.astype(np.float32, copy=False)})["reconstruction"][:, 0]

    def reconstruct(
        self, images: Float[np.ndarray, "batch 28 28"] | Float[np.ndarray, "batch 1 28 28"]
    ) -> Float32[np.ndarray, "batch 28 28"]:
        """The decoded mean of each image."""
        return self.decode(self.encode(images).mean)


def load_model(
    folder: Path, device: str = "auto", threads: int = 1, mend: str = "export the model again"
) -> ExportedModel:
    """Check and open one export: manifest, sizes, hashes, metadata, names and shapes, and a run of two rows.

    Args:
        folder: holds manifest.json, encoder.onnx, decoder.onnx and latents.npz.
        device: see `open_session`.
        threads: see `open_session`.
        mend: what the message tells the reader to do about a bad file.

    Raises:
        ArtifactError: names the first file that fails a check, and the check.
        DeviceError: see `open_session`.
    """
    path = folder / "manifest.json"
    try:
        manifest = _parse_manifest(_read(path, MAX_BYTES))
        path = folder / "latents.npz"
        latents = _parse_latents(_read_listed(path, "latents", manifest), manifest.latent_dim)
        path = folder / "encoder.onnx"
        codes = {"mean": (manifest.latent_dim,)}
        if manifest.kind in ("vae", "vae_article"):
            codes["log_var"] = (manifest.latent_dim,)
        encoder = open_session(_read_listed(path, "encoder", manifest), device, threads)
        _check_graph(encoder, "encoder", manifest, {"image": (1, 28, 28)}, codes)
        path = folder / "decoder.onnx"
        decoder = open_session(_read_listed(path, "decoder", manifest), device, threads)
        _check_graph(decoder, "decoder", manifest, {"latent": codes["mean"]}, {"reconstruction": (1, 28, 28)})
    except DeviceError:
        raise
    except FileNotFoundError:
        raise ArtifactError(path, "no such file", mend) from None
    except _UnfitError as error:
        raise ArtifactError(path, str(error), mend) from None
    except Exception as error:  # onnxruntime's and zipfile's errors share no narrower base class
        raise ArtifactError(path, f"cannot be opened: {first_line(error)}", mend) from error
    return ExportedModel(manifest, encoder, decoder, latents)


class _UnfitError(Exception):
    """A check that failed, without the file's name."""


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise _UnfitError(problem)


def _read(path: Path, limit: int) -> bytes:
    """The file, unless it is larger than allowed: the size is looked at before anything is read."""
    size = path.stat().st_size
    _require(size <= limit, f"has {size:,} bytes, more than the {limit:,} allowed")
    return path.read_bytes()


def _parse_manifest(text: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(map(str, problem["loc"]))
        if key == "schema_version":
            raise _UnfitError(f"has schema_version {problem['input']!r}, this version reads {SCHEMA_VERSION}") from None
        raise _UnfitError(f"is not a manifest: {key + ': ' if key else ''}{problem['msg']}") from None


def _read_listed(path: Path, role: str, manifest: Manifest) -> bytes:
    """The file's bytes, once its size and hash are those of the manifest."""
    entry = manifest.files.get(path.name)
    _require(entry is not None and entry.role == role, f"is not listed in the manifest as the {role}")
    assert entry is not None
    content = _read(path, MAX_BYTES)
    _require(len(content) == entry.bytes, f"has {len(content):,} bytes where the manifest says {entry.bytes:,}")
    _require(hashlib.sha256(content).hexdigest() == entry.sha256, "is not the file that was exported (sha256 differs)")
    return content


def _parse_latents(content: bytes, latent_dim: int) -> Latents:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        shapes = {
            "test_mean": (None, latent_dim),
            "test_labels": (None,),
            "train_mean": (latent_dim,),
            "train_covariance": (latent_dim, latent_dim),
            "mixture_weights": (None,),
            "mixture_means": (None, latent_dim),
            "mixture_covariances": (None, latent_dim, latent_dim),
        }
        missing = shapes.keys() - set(file)
        _require(not missing, f"lacks {', '.join(sorted(missing))}")
        arrays = {name: file[name] for name in shapes}
    fits = all(
        arrays[name].ndim == len(shape)
        and all(wanted in (None, found) for wanted, found in zip(shape, arrays[name].shape, strict=True))
        for name, shape in shapes.items()
    )
    same = len(arrays["test_mean"]) == len(arrays["test_labels"])
    components = {len(array) for name, array in arrays.items() if name.startswith("mixture_")}
    _require(fits and same and len(components) == 1, f"holds arrays that do not fit latent_dim {latent_dim}")
    finite = all(np.isfinite(array).all() for array in arrays.values())
    _require(finite, "holds values that are not finite")
    return Latents(arrays["test_mean"], arrays["test_labels"], exported_priors(arrays))


def _check_graph(session: Session, role: str, manifest: Manifest, inputs: Shapes, outputs: Shapes) -> None:
    """Metadata, names and shapes are those of the role, and two rows of zeros give finite numbers."""
    graph = session.session
    metadata = graph.get_modelmeta().custom_metadata_map
    expected = {
        "schema_version": str(SCHEMA_VERSION),
        "role": role,
        "model": manifest.model,
        "latent_dim": str(manifest.latent_dim),
    }
    for key, value in expected.items():
        _require(metadata.get(key) == value, f"says {key} = {metadata.get(key)!r} where {value!r} belongs")
    for nodes, shapes in ((graph.get_inputs(), inputs), (graph.get_outputs(), outputs)):
        found = {node.name: tuple(node.shape) for node in nodes}
        wanted = ", ".join(f"{name} [batch, {', '.join(map(str, shape))}]" for name, shape in shapes.items())
        fits = found.keys() == shapes.keys() and all(found[name][1:] == shape for name, shape in shapes.items())
        _require(fits, f"has {found} where {wanted} belongs")
        _require(all(not isinstance(shape[0], int) for shape in found.values()), "has a fixed batch size")
    results = session.run(zeros(graph))
    _require(all(np.isfinite(value).all() for value in results.values()), "computes values that are not finite")
