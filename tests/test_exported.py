"""exported.py: a good export computes the right values, every kind of bad one is named."""

import hashlib
import json

import numpy as np
import pytest

from autoencoder import verified
from autoencoder.exported import load_model
from autoencoder.images import to_unit_interval
from autoencoder.inference import DeviceError
from autoencoder.verified import ArtifactError


@pytest.fixture
def folder(export, tmp_path):
    return export(tmp_path, "vae", "vae", latent_dim=8)


def rewrite(folder, name: str, content: bytes) -> None:
    """Replace a file and make the manifest agree: what a wrong but intact export looks like."""
    (folder / name).write_bytes(content)
    tree = json.loads((folder / "manifest.json").read_text())
    tree["files"][name] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(tree))


def edit_manifest(folder, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_codes_and_reconstructions_are_those_of_a_pca(folder, digits):
    model = load_model(folder)
    images = to_unit_interval(digits[0][:300])
    encoding = model.encode(images)
    np.testing.assert_allclose(encoding.mean, model.latents.test_mean, atol=1e-4)
    np.testing.assert_array_equal(encoding.log_var, np.full((300, 8), -2, np.float32))
    reconstructions = model.decode(encoding.mean)
    assert 0 <= reconstructions.min() <= reconstructions.max() <= 1
    error, baseline = np.square(reconstructions - images).mean(), images.var(axis=0).mean()
    assert error < 0.5 * baseline
    np.testing.assert_array_equal(model.encode(images[:, None]).mean, encoding.mean)


def test_only_a_vae_has_a_log_var(export, tmp_path, digits):
    model = load_model(export(tmp_path, "ae", "ae"))
    assert model.encode(to_unit_interval(digits[0][:1])).log_var is None
    assert (model.manifest.model, model.manifest.latent_dim, model.manifest.dataset) == ("ae", 8, "mnist")


@pytest.mark.parametrize("name", ["manifest.json", "latents.npz", "encoder.onnx", "decoder.onnx"])
def test_a_missing_file_is_named_with_the_cure(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name}: no such file. To mend it: `dvc repro export@vae`"):
        load_model(folder, mend="`dvc repro export@vae`")


@pytest.mark.parametrize("name", ["latents.npz", "encoder.onnx", "decoder.onnx"])
def test_a_truncated_file_is_named(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-7])
    with pytest.raises(ArtifactError, match=rf"{name}: has .* bytes where the manifest says"):
        load_model(folder)


@pytest.mark.parametrize("name", ["latents.npz", "encoder.onnx", "decoder.onnx"])
def test_one_flipped_bit_is_found(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"{name}: is not the file that was exported"):
        load_model(folder)


def test_a_file_above_the_cap_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(verified, "MAX_BYTES", 2000)
    with pytest.raises(ArtifactError, match="more than the 2,000 allowed"):
        load_model(folder)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"model": "vae"}', "schema_version: Field required"),
        ("\udcff", "Invalid JSON"),
    ],
)
def test_an_unreadable_manifest_is_an_artifact_error(folder, text, problem):
    (folder / "manifest.json").write_text(text, errors="surrogateescape")
    with pytest.raises(ArtifactError, match=rf"manifest\.json: is not a manifest: {problem}"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema_version": 1}, r"manifest\.json: has schema_version 1, this version reads 2"),
        ({"kind": "gan"}, r"manifest\.json: is not a manifest: kind"),
        ({"files": {}}, "is not listed in the manifest"),
        ({"latent_dim": 9}, r"latents\.npz: holds arrays that do not fit latent_dim 9"),
        ({"model": "ae"}, r"encoder\.onnx: says model = 'vae' where 'ae' belongs"),
        ({"kind": "ae"}, r"encoder\.onnx: has .* where mean \[batch, 8\] belongs"),
    ],
)
def test_a_manifest_that_does_not_fit_is_named(folder, changes, problem):
    edit_manifest(folder, **changes)
    with pytest.raises(ArtifactError, match=problem):
        load_model(folder)


def test_a_graph_in_the_wrong_role_is_named(folder):
    rewrite(folder, "decoder.onnx", (folder / "encoder.onnx").read_bytes())
    with pytest.raises(ArtifactError, match=r"decoder\.onnx: says role = 'encoder' where 'decoder' belongs"):
        load_model(folder)


def test_what_is_no_graph_at_all_is_named(folder):
    rewrite(folder, "encoder.onnx", b"not a graph")
    with pytest.raises(ArtifactError, match=r"encoder\.onnx: cannot be opened: "):
        load_model(folder)


def test_what_is_no_archive_at_all_is_named(folder):
    rewrite(folder, "latents.npz", b"not an archive")
    with pytest.raises(ArtifactError, match=r"latents\.npz: cannot be opened: "):
        load_model(folder)


def test_a_bad_device_is_not_blamed_on_the_files(folder):
    with pytest.raises(DeviceError, match="device = 'tpu'"):
        load_model(folder, "tpu")
