"""How the stages fail: one message that names what is wrong, and nothing half-written."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from autoencoder.errors import ForeseenError, UnusableFileError
from autoencoder.training import Training, TrainingDiverged
from stages import evaluate, export, train
from tests.tiny_project import PER_MODEL, change, run_in, start


def test_a_diverging_training_ends_with_one_message_and_without_a_model(project):
    change(project, "vae", learning_rate=1e30, grad_clip=1e30)
    process = start("train", "vae")
    assert process.returncode == 1
    assert process.stderr == (
        "error: params.yaml: models.vae: the training loss is nan in epoch 1; "
        "a smaller learning_rate (now 1e+30) usually cures this\n"
    )
    assert not (project / "models").exists()


def test_a_divergence_after_some_epochs_leaves_no_model_and_no_resume_point(project, monkeypatch):
    monkeypatch.setattr(train, "SECONDS_BETWEEN_SAVES", 0.0)
    losses = iter([3.0, 2.0, float("nan")])
    saved = []

    def means(_: Training) -> torch.Tensor:
        saved.append(len(list(Path(".ckpt").glob("vae-*.pt"))))
        loss = next(losses)
        return torch.tensor([loss, loss, 0.0])

    monkeypatch.setattr(Training, "_validation_means", means)
    change(project, "vae", epochs=5)
    with pytest.raises(
        TrainingDiverged, match=r"^params\.yaml: models\.vae: the validation loss is nan in epoch 3; a smaller"
    ):
        run_in(project, "train", "vae")
    assert saved == [0, 1, 1]
    assert list((project / ".ckpt").iterdir()) == []
    assert not (project / "models/vae/model.pt").exists()


@pytest.mark.parametrize("stage", ["export", "evaluate"])
def test_a_missing_checkpoint_is_named(stage, project):
    with pytest.raises(UnusableFileError, match=r"^models/vae/model\.pt is no usable checkpoint"):
        run_in(project, stage, "vae")


@pytest.mark.parametrize("stage", PER_MODEL)
def test_missing_data_is_named(stage, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "data" / "digits.npz").unlink()
    with pytest.raises(UnusableFileError, match=r"^data/digits\.npz "):
        run_in(tmp_path / "copy", stage, "vae")


@pytest.mark.parametrize("damage", ["cut", "text", "lacks", "other", "method"])
def test_a_damaged_side_car_is_named(damage, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    path = tmp_path / "copy" / "models" / "vae" / "onnx" / "latents.npz"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "text":
        path.write_text("no archive")
    elif damage == "method":  # of compression, in the archive's directory: one that nobody knows
        content = bytearray(path.read_bytes())
        content[content.rindex(b"PK\x01\x02") + 10] = 77
        path.write_bytes(content)
    else:
        with np.load(path) as file:
            arrays = dict(file)
        if damage == "lacks":
            del arrays["mixture_means"]
        else:
            arrays["test_mean"] = arrays["test_mean"][:, :2]
        np.savez(path, **arrays)
    with pytest.raises(
        UnusableFileError, match=r"^models/vae/onnx/latents\.npz (cannot be read \(.+\)$|has test codes of)"
    ):
        run_in(tmp_path / "copy", "evaluate", "vae")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"^details/vae\.json cannot be read \(.+\)$"),
        ("{", r"^details/vae\.json cannot be read \("),
        ("[1]", r"^details/vae\.json cannot be read \("),
        ("{}", r"^details lacks '\w+'$"),
    ],
)
def test_damaged_details_are_named(content, message, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "details" / "vae.json").write_text(content)
    with pytest.raises(UnusableFileError, match=message):
        run_in(tmp_path / "copy", "report")


def test_an_export_that_does_not_compute_what_torch_computes_writes_nothing(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "models" / "vae" / "onnx")
    decoder = (finished / "models" / "pca" / "onnx" / "decoder.onnx").read_bytes()
    encoder = (finished / "models" / "vae" / "onnx" / "encoder.onnx").read_bytes()
    monkeypatch.setattr(export, "export_model", lambda *_: (encoder, decoder))
    with pytest.raises(ForeseenError, match=r"^reconstruction differs from torch"):
        run_in(tmp_path / "copy", "export", "vae")
    assert not (tmp_path / "copy" / "models" / "vae" / "onnx").exists()


def test_metrics_that_are_not_finite_stop_the_stage(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "metrics" / "vae.json").unlink()
    monkeypatch.setattr(evaluate, "evaluate", lambda *_: {"nll": float("nan"), "ssim": 0.5})
    with pytest.raises(ForeseenError, match=r"^vae: not a finite number: nll; the training went wrong$"):
        run_in(tmp_path / "copy", "evaluate", "vae")
    assert not (tmp_path / "copy" / "metrics" / "vae.json").exists()
