"""Reconstruct: which images, how a VAE decodes, and where an error stands."""

import json
import re
import shutil
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from autoencoder.exported import load_model
from autoencoder.reconstruction import mean_squared_errors, reconstruct
from tests.pages import APP, messages, open_page, page_html


@pytest.fixture
def start(monkeypatch):
    """Open the page over a folder: `start(root)`, with what the link says as keywords."""
    return partial(open_page, monkeypatch, page="reconstruct.py")


@pytest.fixture
def app(root, start) -> AppTest:
    """The page over a finished workspace."""
    return start(root)


def errors_shown(html: str) -> list[float]:
    """The errors under the pictures, row by row."""
    return [float(error) for error in re.findall(r'title="a larger error[^"]*">([0-9.]+)', html)]


def test_reconstruct_shows_the_error_of_every_model(app, root):
    html = page_html(app)
    assert "<h1>Reconstruct</h1>" in html
    assert "onnxruntime on CPU: CPU asked for" in html
    assert html.count("<img") == 5 + 5 * 2 * 2
    shown = errors_shown(html)
    with np.load(root / "data" / "mnist.npz") as arrays:
        images = arrays["test_images"] / 255.0
    first = int(html.split("test image: ")[1].split('"')[0].split(", ")[1])
    with np.load(root / "models" / "pca" / "onnx" / "latents.npz") as arrays:
        code = arrays["test_mean"][first]
    decoded = load_model(root / "models" / "pca" / "onnx").decode(code[None])[0]
    assert shown[0] == pytest.approx(np.square(decoded - images[first]).mean(), abs=1e-4)


def test_the_hardest_images_come_first(app):
    app.sidebar.segmented_control(key="images").set_value("Worst").run()
    shown = np.array(errors_shown(page_html(app))).reshape(5, 2).mean(1)
    assert (np.diff(shown) <= 1e-4).all()
    assert "worse than 99%" in page_html(app)
    assert "on 100%" not in page_html(app)  # no image is worse than all, itself among them


def test_errors_are_those_on_digits_from_all_of_the_test_images(start, root, monkeypatch):
    monkeypatch.syspath_prepend(APP)
    monkeypatch.setattr(import_module("side_by_side"), "JUDGED", 100)
    st.cache_data.clear()
    html = page_html(start(root, models=["vae"], images="Worst"))
    with np.load(root / "data" / "mnist.npz") as arrays:
        images = arrays["test_images"] / np.float32(255)
    model = load_model(root / "models" / "vae" / "onnx", "cpu")
    errors = mean_squared_errors(images, reconstruct(model, images))[::3]
    shown = [int(part.split('"')[0].split(", ")[1]) for part in html.split('alt="test image: ')[1:]]
    assert shown == (3 * np.argsort(-errors, kind="stable")[:5]).tolist()
    assert "of 100 test images" in html
    st.cache_data.clear()


def test_errors_are_ranked_among_those_on_the_data_of_today(app, root, digits):
    """The exports stay, the data is another for a while: nothing of that time is kept."""
    ranks = re.compile("a larger error than on ([0-9.]+%)")
    before = ranks.findall(page_html(app))
    manifests = {path: path.read_text() for path in root.glob("models/*/onnx/manifest.json")}
    data = (root / "data" / "mnist.npz").read_bytes()
    for path, text in manifests.items():
        path.write_text(json.dumps(json.loads(text) | {"data_sha256": "1" * 64}))
    np.savez(root / "data" / "mnist.npz", test_images=255 - digits[0][:300], test_labels=digits[1][:300])
    assert ranks.findall(page_html(app.run())) != before
    for path, text in manifests.items():
        path.write_text(text)
    (root / "data" / "mnist.npz").write_bytes(data)
    assert ranks.findall(page_html(app.run())) == before


def test_the_classifier_reads_before_and_after(app):
    html = page_html(app)
    read = re.findall(r"reads (\d\??)", html)
    assert len(read) == 5
    assert len(re.findall(r"· \d\??</small>", html)) >= 10
    assert "of 300 test errors" in app.caption[-1].value
    assert "the digit that is read" in app.caption[-1].value


def test_without_a_classifier_nothing_is_read_and_the_command_is_named(root, start):
    shutil.rmtree(root / "models" / "classifier")
    app = start(root)
    assert "dvc repro export_classifier" in messages(app)
    assert "· reads" not in page_html(app)


def test_a_vae_can_decode_samples_of_its_posterior(app):
    before = errors_shown(page_html(app))
    app.sidebar.segmented_control(key="decode").set_value("A sample").run()
    first = errors_shown(page_html(app))
    app.sidebar.number_input(key="noise").set_value(1).run()
    second = errors_shown(page_html(app))
    assert before[::2] == first[::2] == second[::2]  # PCA has nothing to draw
    assert len({tuple(before[1::2]), tuple(first[1::2]), tuple(second[1::2])}) == 3


def test_the_error_of_a_sample_stands_among_those_of_samples(root, start):
    html = page_html(start(root, models=["vae"], images="Index", decode="A sample", noise="3"))
    with np.load(root / "data" / "mnist.npz") as arrays:
        images = arrays["test_images"] / np.float32(255)
    model = load_model(root / "models" / "vae" / "onnx", "cpu")
    errors = mean_squared_errors(images, reconstruct(model, images, 3))
    own = mean_squared_errors(images[:5], reconstruct(model, images[:5], 3))
    expected = [f"{min((errors < error).mean(), 0.99):.0%}" for error in own]
    assert re.findall(r"a larger error than on (\d+%)", html) == expected
    means = mean_squared_errors(images, reconstruct(model, images))
    assert expected != [f"{min((means < error).mean(), 0.99):.0%}" for error in own]


def test_an_unknown_choice_in_a_link_is_the_usual_one(root, start):
    app = start(root, decode="Draw")
    assert "<h1>Reconstruct</h1>" in page_html(app)
    assert app.sidebar.segmented_control(key="decode").value == "Mean"


@pytest.mark.parametrize("label", [0, 7])
def test_images_can_be_chosen_by_label(app, label):
    app.sidebar.segmented_control(key="images").set_value("Label").run()
    app.sidebar.pills(key="label").set_value(label).run()
    captions = [part.split(",")[0] for part in page_html(app).split('alt="test image: ')[1:]]
    assert captions == [str(label)] * 5


def test_images_can_be_chosen_by_index(app):
    app.sidebar.segmented_control(key="images").set_value("Index").run()
    app.sidebar.number_input(key="index").set_value(298).run()
    indices = [part.split('"')[0].split(", ")[1] for part in page_html(app).split('alt="test image: ')[1:]]
    assert indices == ["298", "299"]


def test_another_draw_shows_other_images(app):
    before = page_html(app)
    app.sidebar.number_input(key="draw").set_value(1).run()
    after = page_html(app)
    assert before != after
    app.sidebar.number_input(key="draw").set_value(0).run()
    assert page_html(app) == before


def test_a_link_restores_the_view(root, start):
    html = page_html(start(root, models=["vae"], images="Index", index="42"))
    assert ">pca<" not in html
    assert "42" in html.split('alt="test image: ')[1].split('"')[0]
