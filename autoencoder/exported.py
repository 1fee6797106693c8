"""An exported model as the pipeline left it on disk: checked, opened, ready to encode and decode.

Apart from inference.py, so that an edit here exports nothing again.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, PositiveInt

from autoencoder.inference import SchemaVersion, Session
from autoencoder.priors import Prior, exported_priors
from autoencoder.verified import FileEntry, Shapes, naming, open_graph, read_listed, read_manifest, require


class Manifest(BaseModel):
    """manifest.json: which model this is, and the size and hash of each of its files."""

    model_config = ConfigDict(frozen=True)

    schema_version: SchemaVersion
    model: str
    kind: Literal["pca", "ae", "vae", "ae_article", "vae_article"]
    latent_dim: PositiveInt
    dataset: str
    data_sha256: str
    params: dict[str, Any]  # the section of params.yaml that it was trained with
    files: dict[str, FileEntry]
    parity: dict[str, Any]

    @property
    def variational(self) -> bool:
        """Whether the encoder gives a distribution, and N(0, I) is what the model was trained towards."""
        return self.kind in ("vae", "vae_article")


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

    @property
    def deviations(self) -> Float32[np.ndarray, "batch latent_dim"] | None:
        """The spread of every code around its mean."""
        return None if self.log_var is None else np.exp(0.5 * self.log_var)


@dataclass(frozen=True)
class ExportedModel:
    """A checked export, ready to run; one instance serves all threads."""

    manifest: Manifest
    encoder: Session
    decoder: Session
    latents: Latents

    @property
    def agreement(self) -> float:
        """The largest difference between what onnxruntime and torch computed of the test images, when exported."""
        return max(value for name, value in self.manifest.parity.items() if name.endswith("_max_abs"))

    def encode(self, images: Float[np.ndarray, "batch 28 28"] | Float[np.ndarray, "batch 1 28 28"]) -> Encoding:
        """Codes of images with intensities in [0, 1]; the mean is the deterministic one."""
        outputs = self.encoder.run({"image": images.reshape(-1, 1, 28, 28).astype(np.float32, copy=False)})
        return Encoding(outputs["mean"], outputs.get("log_var"))

    def decode(self, latents: Float[np.ndarray, "batch latent_dim"]) -> Float32[np.ndarray, "batch 28 28"]:
        """Images with intensities in [0, 1]."""
        return self.decoder.run({"latent": latents.astype(np.float32, copy=False)})["reconstruction"][:, 0]


def load_model(folder: Path, device: str = "auto", mend: str = "export the model again") -> ExportedModel:
    """Check and open one export: manifest, sizes, hashes, metadata, names and shapes, and a run of two rows.

    Args:
        folder: holds manifest.json, encoder.onnx, decoder.onnx and latents.npz.
        device: see `open_session`.
        mend: what the message tells the reader to do about a bad file.

    Raises:
        ArtifactError: names the first file that fails a check, and the check.
        DeviceError: see `open_session`.
    """
    path = folder / "manifest.json"
    with naming(path, mend):
        manifest = read_manifest(path, Manifest)
    path = folder / "latents.npz"
    with naming(path, mend):
        latents = _parse_latents(read_listed(path, "latents", manifest.files), manifest.latent_dim)
    image, code = (1, 28, 28), (manifest.latent_dim,)
    codes = {"mean": code} | ({"log_var": code} if manifest.variational else {})
    shapes: dict[str, tuple[Shapes, Shapes]] = {
        "encoder": ({"image": image}, codes),
        "decoder": ({"latent": code}, {"reconstruction": image}),
    }
    sessions = {}
    for role, (inputs, outputs) in shapes.items():
        path = folder / f"{role}.onnx"
        expected = {"role": role, "model": manifest.model, "latent_dim": str(manifest.latent_dim)}
        with naming(path, mend):
            content = read_listed(path, role, manifest.files)
            sessions[role] = open_graph(content, expected, inputs, outputs, device)
    return ExportedModel(manifest, sessions["encoder"], sessions["decoder"], latents)


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
        require(not missing, f"lacks {', '.join(sorted(missing))}")
        arrays = {name: file[name] for name in shapes}
    fits = all(
        arrays[name].ndim == len(shape)
        and all(wanted in (None, found) for wanted, found in zip(shape, arrays[name].shape, strict=True))
        for name, shape in shapes.items()
    )
    same = len(arrays["test_mean"]) == len(arrays["test_labels"])
    components = {len(array) for name, array in arrays.items() if name.startswith("mixture_")}
    require(fits and same and len(components) == 1, f"holds arrays that do not fit latent_dim {latent_dim}")
    finite = all(np.isfinite(array).all() for array in arrays.values())
    require(finite, "holds values that are not finite")
    return Latents(arrays["test_mean"], arrays["test_labels"], exported_priors(arrays))
