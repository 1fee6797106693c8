"""The exported classifier reads as the pipeline's judge does, and a bad file is named."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from autoencoder.classifier import build_classifier
from autoencoder.classifier_export import export_classifier
from autoencoder.images import to_unit_interval
from autoencoder.onnx_export import ExportParams
from autoencoder.reader import load_reader
from autoencoder.verified import ArtifactError


@pytest.fixture(scope="module")
def graph() -> bytes:
    metadata = {"schema_version": "2", "role": "classifier", "model": "classifier"}
    return export_classifier(build_classifier().eval(), ExportParams(opset=20), metadata)


@pytest.fixture
def folder(graph, tmp_path) -> Path:
    (tmp_path / "classifier.onnx").write_bytes(graph)
    entry = {"role": "classifier", "sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}
    manifest = {
        "schema_version": 2,
        "model": "classifier",
        "dataset": "mnist",
        "data_sha256": "0" * 64,
        "classifier_sha256": "1" * 64,
        "threshold": 0.2,
        "files": {"classifier.onnx": entry},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_it_reads_as_torch_does(folder, digits):
    images = to_unit_interval(digits[0][:50])
    reading = load_reader(folder, device="cpu").read(images)
    with torch.no_grad():
        confidence, label = build_classifier().eval()(torch.from_numpy(images)[:, None]).softmax(1).max(1)
    np.testing.assert_array_equal(reading.label, label)
    np.testing.assert_allclose(reading.confidence, confidence, atol=1e-5)
    np.testing.assert_array_equal(reading.accepted, reading.confidence >= 0.2)


@pytest.mark.parametrize("name", ["manifest.json", "classifier.onnx"])
def test_a_missing_file_is_named_with_the_cure(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name}: no such file. To mend it: `dvc repro export_classifier`"):
        load_reader(folder, mend="`dvc repro export_classifier`")


def test_a_flipped_bit_is_noticed(folder):
    content = bytearray((folder / "classifier.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "classifier.onnx").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"classifier\.onnx: is not the file that was exported"):
        load_reader(folder)


def test_the_manifest_of_a_model_is_none_of_a_classifier(folder):
    tree = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(tree | {"model": "vae"}))
    with pytest.raises(ArtifactError, match=r"manifest\.json: is not a manifest: model"):
        load_reader(folder)
