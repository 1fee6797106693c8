"""history.py: the curve's exact text, a picture per epoch, and the same files after a resume."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from autoencoder.data import Split
from autoencoder.history import History
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.models import MODEL_PARAMS, build_model
from autoencoder.training import EpochMetrics, Terms

METRICS = [
    EpochMetrics(1, Terms(210.5, 200.25, 10.25), Terms(190.123456789, 180.0, 10.123456789), 1000.0),
    EpochMetrics(2, Terms(1e-7, 1e-7, 0.0), Terms(1234567.0, 0.1, 0.3), 2000.0),
]
CURVE = """\
epoch,split,loss,reconstruction,kl_divergence
1,train,210.5,200.25,10.25
1,validation,190.123,180,10.1235
2,train,1e-07,1e-07,0
2,validation,1.23457e+06,0.1,0.3
"""


def model(seed: int = 0):
    params = {"kind": "ae", "latent_dim": 3, "network": {"type": "mlp", "hidden": [8]}}
    return build_model(MODEL_PARAMS.validate_python(params), seed)


def pictured(count: int = 4) -> Split:
    images = torch.randint(0, 256, (count, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Split(images, torch.zeros(count, dtype=torch.uint8))


def history(folder: Path) -> History:
    return History(folder / "plots" / "loss.csv", folder / "epochs", pictured())


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_curve_has_a_row_per_epoch_and_split(tmp_path):
    run = history(tmp_path)
    for metrics in METRICS:
        run.add(metrics, model())
    assert (tmp_path / "plots" / "loss.csv").read_text() == CURVE


def test_the_curve_can_be_watched_while_training_runs(tmp_path):
    run = history(tmp_path)
    run.add(METRICS[0], model())
    assert (tmp_path / "plots" / "loss.csv").read_text() == "".join(CURVE.splitlines(keepends=True)[:3])
    assert sorted(files(tmp_path)) == ["epochs/epoch_0001.png", "plots/loss.csv"]


def test_a_picture_shows_the_images_over_their_reconstructions(tmp_path):
    run, trained = history(tmp_path), model()
    run.add(METRICS[0], trained)
    picture = np.asarray(Image.open(io.BytesIO((tmp_path / "epochs" / "epoch_0001.png").read_bytes())))
    assert picture.shape == (2 * 56 + 2, 4 * 56 + 3 * 2)
    images = to_unit_interval(pictured().images)
    with torch.no_grad():
        decoded = to_uint8(trained.decode(trained.encode(images)).squeeze(1).numpy())
    for column in range(4):
        left = column * 58
        np.testing.assert_array_equal(picture[0:56:2, left : left + 56 : 2], pictured().images[column, 0])
        np.testing.assert_array_equal(picture[58:114:2, left : left + 56 : 2], decoded[column])


def test_equal_runs_write_equal_bytes_and_other_weights_others(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        history(tmp_path / name).add(METRICS[0], model(seed))
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a")["epochs/epoch_0001.png"] != files(tmp_path / "c")["epochs/epoch_0001.png"]


@pytest.mark.parametrize("saved_after", [1, 2])
def test_a_resumed_history_writes_the_same_files(saved_after, tmp_path):
    whole = history(tmp_path / "whole")
    for seed, metrics in enumerate(METRICS):
        whole.add(metrics, model(seed))

    first = history(tmp_path / "first")
    for seed, metrics in enumerate(METRICS[:saved_after]):
        first.add(metrics, model(seed))
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second = history(tmp_path / "second")  # in an empty folder: DVC removes the outputs before it runs a stage
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert files(tmp_path / "second") == files(tmp_path / "first")
    for seed, metrics in list(enumerate(METRICS))[saved_after:]:
        second.add(metrics, model(seed))
    assert files(tmp_path / "second") == files(tmp_path / "whole")


def test_a_restored_state_is_not_shared(tmp_path):
    first = history(tmp_path / "a")
    first.add(METRICS[0], model())
    second = history(tmp_path / "b")
    second.load_state_dict(first.state_dict())
    second.add(METRICS[1], model())
    assert len(first.rows) == 2
    assert len(first.pictures) == 1
