"""The exported digit classifier: what it reads in pictures, and how sure it is, as the pipeline's evaluation has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from pydantic import BaseModel, ConfigDict

from autoencoder.inference import SchemaVersion, Session
from autoencoder.verified import FileEntry, naming, open_graph, read_listed, read_manifest

CLASSES = 10


class ReaderManifest(BaseModel):
    """manifest.json beside classifier.onnx."""

    model_config = ConfigDict(frozen=True)

    schema_version: SchemaVersion
    model: Literal["classifier"]
    dataset: str
    data_sha256: str
    classifier_sha256: str
    threshold: float
    files: dict[str, FileEntry]


@dataclass(frozen=True)
class Reading:
    """What the classifier reads in each picture."""

    label: Int[np.ndarray, " n"]
    confidence: Float32[np.ndarray, " n"]
    accepted: Bool[np.ndarray, " n"]  # the classifier is sure

    @property
    def words(self) -> list[str]:
        """The digits; behind those of which the classifier is not sure a question mark."""
        return [f"{label}" if sure else f"{label}?" for label, sure in zip(self.label, self.accepted, strict=True)]


@dataclass(frozen=True)
class Reader:
    """The checked classifier, ready to run; one instance serves all threads."""

    manifest: ReaderManifest
    session: Session

    def read(self, images: Float[np.ndarray, "n 28 28"]) -> Reading:
        """The likeliest digit of images in [0, 1], its probability, and whether the evaluation would accept it."""
        inputs = {"image": images[:, None].astype(np.float32, copy=False)}
        probability = self.session.run(inputs)["probability"]
        confidence = probability.max(1)
        return Reading(probability.argmax(1), confidence, confidence >= self.manifest.threshold)


def load_reader(folder: Path, device: str = "auto", mend: str = "export it again") -> Reader:
    """Check and open the classifier's export.

    Args:
        folder: holds manifest.json and classifier.onnx.
        device: see `open_session`.
        mend: what the message tells the reader to do about a bad file.

    Raises:
        ArtifactError: names the first file that fails a check, and the check.
        DeviceError: see `open_session`.
    """
    path = folder / "manifest.json"
    with naming(path, mend):
        manifest = read_manifest(path, ReaderManifest)
    path = folder / "classifier.onnx"
    expected = {"role": "classifier", "model": "classifier"}
    with naming(path, mend):
        content = read_listed(path, "classifier", manifest.files)
        session = open_graph(content, expected, {"image": (1, 28, 28)}, {"probability": (CLASSES,)}, device)
    return Reader(manifest, session)
