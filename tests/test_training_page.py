"""The page Training: the curve of a run and its pictures, while it goes on and afterwards."""

import importlib
import json
import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import APP, messages, open_page, page_html, show


@pytest.fixture
def app(root, monkeypatch) -> AppTest:
    """The viewer over a finished workspace, its first page shown."""
    return open_page(monkeypatch, root)


def test_training_shows_the_curve_and_the_newest_picture(app):
    show(app, "training.py")
    app.sidebar.pills(key="model").set_value("vae").run()
    assert "after epoch 3" in page_html(app)
    assert any("Finished: 3 epochs" in element.value for element in app.markdown)
    assert list(app.segmented_control(key="term").options) == ["Loss", "Reconstruction", "KL divergence"]
    app.select_slider(key="epoch_vae").set_value(2).run()
    assert "after epoch 2" in page_html(app)


def test_a_model_may_have_any_name(app, root):
    (root / "params.yaml").write_text("models: {curve: {kind: vae, epochs: 3}}\n")
    for folder in ("plots", "models"):
        (root / folder / "vae").rename(root / folder / "curve")
    show(app, "training.py")
    assert "after epoch 3" in page_html(app)
    app.run()
    assert "after epoch 3" in page_html(app)


@pytest.mark.parametrize(("planned", "left"), [(3, False), (20, True)])
def test_training_says_where_and_how_fast_it_runs(app, root, planned, left):
    (root / "params.yaml").write_text(f"models: {{vae: {{kind: vae, epochs: {planned}}}}}\n")
    (root / "plots" / "vae" / "loss.csv").touch()  # just written
    (root / "timings").mkdir()
    noted = {"device": "cuda:0 (NVIDIA H100)", "images_per_second": 123456.7, "seconds_left": 83.4}
    (root / "timings" / "train_vae.json").write_text(json.dumps(noted))
    show(app, "training.py")
    said = "".join(element.value for element in app.markdown)
    assert "123,457 images/s · cuda:0 (NVIDIA H100)" in said
    assert ("epoch 3 of 20 · 1 min 23 s left" in said) is left
    (root / "timings" / "train_vae.json").write_text('{"device": "cu')
    app.run()
    assert "images/s" not in "".join(element.value for element in app.markdown)


def age(path: Path, seconds: float) -> None:
    os.utime(path, times=(time.time() - seconds,) * 2)


@pytest.mark.parametrize(
    ("pictures", "curve", "running"),
    [
        ([500, 300, 100], 100, True),  # an epoch takes 200 seconds
        ([1000, 800, 601], 601, False),
        ([100, 99, 98], 89, True),
        ([100, 99, 98], 92, False),
        ([590], 590, True),  # nobody knows how long the second one takes
        ([610], 610, False),
        ([590.02, 590.01, 590], 590, True),  # written again by a training that goes on
        ([610.02, 610.01, 610], 610, False),
    ],
)
def test_a_training_has_stopped_when_its_next_epoch_is_overdue(app, root, pictures, curve, running):
    (root / "params.yaml").write_text("models: {vae: {kind: vae, epochs: 20}}\n")
    folder = root / "models" / "vae" / "epochs"
    for epoch in range(len(pictures), 3):
        (folder / f"epoch_{epoch + 1:04d}.png").unlink()
    for path, seconds in zip(sorted(folder.iterdir()), pictures, strict=True):
        age(path, seconds)
    age(root / "plots" / "vae" / "loss.csv", curve)
    show(app, "training.py")
    assert ("**Training**" in app.markdown[0].value) is running
    assert ("Stopped at epoch 3 of 20; `dvc repro train@vae` continues it, or starts" in app.markdown[0].value) is (
        not running
    )


def test_another_model_that_trains_meanwhile_is_named(app, root):
    models = {name: {"kind": kind, "latent_dim": 8, "epochs": 20} for name, kind in (("pca", "ae"), ("vae", "vae"))}
    (root / "params.yaml").write_text(json.dumps({"models": models}))
    for name, seconds in (("pca", 10_000), ("vae", 0)):
        age(root / "plots" / name / "loss.csv", seconds)
    show(app, "training.py")
    app.sidebar.pills(key="model").set_value("pca").run()
    assert app.caption[-1].value == "Training now: **vae**"
    app.sidebar.pills(key="model").set_value("vae").run()
    assert "Training now" not in app.caption[-1].value


def test_the_demo_names_its_own_command_for_a_training_that_stopped(root, tmp_path, monkeypatch):
    (root / "params.yaml").write_text("models: {vae: {kind: vae, epochs: 20}}\n")
    age(root / "plots" / "vae" / "loss.csv", 1000)
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "demo").symlink_to(root)
    app = open_page(monkeypatch, tmp_path / "outer", "training.py")
    assert "Stopped at epoch 3 of 20; `make demo` continues it" in app.markdown[0].value


def test_pca_has_losses_but_no_curve(app, root):
    (root / "params.yaml").write_text("models: {pca: {kind: pca, latent_dim: 8}}\n")
    show(app, "training.py")
    assert "loss 100 on train, 100 on validation" in app.markdown[0].value
    assert not app.segmented_control


@pytest.mark.parametrize("text", [None, "", "epoch,spl", "epoch,split,loss,reconstruction,kl_divergence\n1,tra"])
def test_a_run_that_has_just_begun_has_no_curve_yet(app, root, text):
    curve = root / "plots" / "vae" / "loss.csv"
    curve.unlink() if text is None else curve.write_text(text)
    show(app, "training.py")
    app.sidebar.pills(key="model").set_value("vae").run()
    assert "No curve of **vae** yet" in messages(app)


def test_half_a_line_and_damaged_lines_are_not_read(root, monkeypatch):
    monkeypatch.syspath_prepend(APP)
    read_curve = importlib.import_module("curves").read_curve
    curve = root / "plots" / "vae" / "loss.csv"
    whole = read_curve(curve)
    assert whole[-1] == {
        "epoch": 3,
        "split": "validation",
        "loss": 33.3333,
        "reconstruction": 30,
        "kl_divergence": 3.33333,
    }
    curve.write_text(curve.read_text() + "x,train,1,1,1\n4,train,one\n4,train,1")
    assert read_curve(curve) == whole
