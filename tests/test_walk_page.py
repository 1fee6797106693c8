"""The page Walk: its choices, its figures against the models and the classifier themselves, and its animation."""

import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from autoencoder.exported import load_model
from autoencoder.reader import Reading, load_reader
from autoencoder.walks import walk
from tests.pages import APP, messages, open_page, page_html

STEPS = 24


@pytest.fixture
def start(monkeypatch):
    """Open the page over a folder: `start(root)`, with what the link says as keywords."""

    return lambda root, **query: open_page(monkeypatch, root, "walk.py", **query)


@pytest.fixture
def strips(monkeypatch):
    monkeypatch.syspath_prepend(APP)
    return importlib.import_module("strips")


def stops_shown(html: str) -> list[tuple[int, int]]:
    """Label and index of the test images."""
    captions = [part.split('"')[0].split(", ") for part in html.split('alt="test image: ')[1:]]
    return [(int(label), int(index)) for label, index in captions]


def reading_of(root: Path, model: str, indices: list[int], path: str) -> Reading:
    """What the classifier says of the walk, worked out without the page."""
    with np.load(root / "data" / "mnist.npz") as arrays:
        images = arrays["test_images"][indices] / np.float32(255)
    opened = load_model(root / "models" / model / "onnx", "cpu")
    frames = opened.decode(walk(opened.encode(images).mean, STEPS, path))
    return load_reader(root / "models" / "classifier" / "onnx", "cpu").read(frames)


def test_it_shows_a_strip_and_a_moving_picture_of_every_model(root, start):
    html = page_html(start(root))
    assert "<h1>Walk</h1>" in html
    assert [label for label, _ in stops_shown(html)] == [3, 5, 8, 0]
    for name in ("pca", "vae"):
        assert html.count(f'alt="{name}: the walk') == 2
    assert f"--frames: {3 * STEPS + 1};" in html


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_what_stands_beside_a_strip_is_what_the_classifier_says(root, start, path):
    html = page_html(start(root, path=path.capitalize(), digits="4170", models=["pca"]))
    reading = reading_of(root, "pca", [index for _, index in stops_shown(html)], path)
    assert f"<small>{reading.accepted.mean():.0%} accepted</small>" in html
    flipped = np.count_nonzero(np.diff(reading.label))
    assert flipped >= 3
    assert f"<small>{flipped} flips</small>" in html
    assert html.count('class="flip"') == flipped


def test_choices_change_the_walk_and_come_back(root, start):
    app = start(root)
    first = page_html(app)
    seen = {first}
    app.sidebar.text_input(key="digits").set_value("35").run()
    seen.add(page_html(app))
    app.sidebar.number_input(key="draw").set_value(4).run()
    seen.add(page_html(app))
    app.sidebar.segmented_control(key="path").set_value("spherical").run()
    seen.add(page_html(app))
    assert len(seen) == 4
    app.sidebar.number_input(key="draw").set_value(0).run()
    app.sidebar.segmented_control(key="path").set_value("linear").run()
    app.sidebar.text_input(key="digits").set_value("3580").run()
    assert page_html(app) == first


def test_a_link_restores_the_walk(root, start):
    app = start(root, digits="77", draw="2", path="Spherical", play="false", models=["vae"])
    html = page_html(app)
    (first, a), (second, b) = stops_shown(html)
    assert (first, second) == (7, 7)
    assert a != b
    assert app.sidebar.segmented_control(key="path").value == "spherical"
    assert "pca: the walk" not in html
    assert 'class="sheet walk"' in html


def test_choices_survive_a_change_of_page(root, start):
    app = start(root, digits="91", path="Spherical")
    before = page_html(app)
    app.switch_page(str(APP / "sample.py")).run()
    app.switch_page(str(APP / "walk.py")).run()
    assert page_html(app) == before


@pytest.mark.parametrize("text", ["", "3", "3a", "3 5"])
def test_what_is_no_walk_is_said(root, start, text):
    app = start(root)
    app.sidebar.text_input(key="digits").set_value(text).run()
    assert "Type two to six digits, such as 3580" in messages(app)
    app.sidebar.text_input(key="digits").set_value("012345").run()
    assert [label for label, _ in stops_shown(page_html(app))] == [0, 1, 2, 3, 4, 5]


def test_a_digit_without_test_images_is_named(root, start, digits):
    images, labels = digits
    np.savez(root / "data" / "mnist.npz", test_images=images[labels != 8], test_labels=labels[labels != 8])
    assert "0 test images of 8" in messages(start(root))


def test_without_a_classifier_the_walk_is_shown_with_the_command_that_makes_it(root, start):
    (root / "models" / "classifier").rename(root / "elsewhere")
    app = start(root)
    assert "`models/classifier/onnx/manifest.json` no such file. To make it: `dvc repro export_classifier`" in messages(
        app
    )
    html = page_html(app)
    assert html.count('alt="vae: the walk') == 2
    assert 'class="ribbon"' not in html
    assert "accepted" not in html
    (root / "elsewhere").rename(root / "models" / "classifier")
    app.run()
    assert messages(app) == ""
    assert "accepted" in page_html(app)


def test_a_classifier_stays_in_use_while_its_successor_is_made(root, start, export_reader):
    app = start(root)
    before = page_html(app)
    (root / "models" / "classifier" / "onnx" / "classifier.onnx").write_bytes(b"x")
    app.run()
    assert "The digit classifier is used as it was last opened: `models/classifier/onnx/classifier.onnx`" in messages(
        app
    )
    assert page_html(app) == before
    export_reader(root, threshold=0.0)
    app.run()
    assert messages(app) == ""
    assert page_html(app).count("100% accepted") == 2


@pytest.mark.parametrize("legs", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("models", [1, 4, 5])
def test_strips_fill_the_room_and_no_more(strips, legs, models):
    scale, every = strips.arrangement(legs, STEPS, models)
    pictures = legs * STEPS // every + 1
    assert scale == (2 if models == 5 else 3)
    assert STEPS % every == 0  # every stop is shown
    assert 500 <= 28 * scale * pictures <= strips.ROOM[0]
    assert models * 28 * (scale + 1) <= strips.ROOM[1]


def test_the_ribbon_is_cut_where_the_reading_flips(strips):
    label = np.array([3, 3, 3, 8, 8])
    confidence = np.array([1, 0.95, 0.5, 0.6, 0.99], np.float32)
    html = strips.ribbon(Reading(label, confidence, confidence >= 0.9), every=2)
    # three pictures shown, frames 0, 2 and 4; the flip lies half-way between frames 2 and 3
    assert html.count('class="flip"') == 1
    assert 'class="flip" style="left: 58.33%"' in html
    assert 'title="3 in 3 of 5 frames, 50% to 100% sure">3<' in html
    assert 'title="8 in 2 of 5 frames, 60% to 99% sure">8<' in html
    assert "var(--sure) 0.00% 41.67%, var(--doubt) 41.67% 75.00%, var(--sure) 75.00% 100.00%" in html
    assert "16.67% 0.0%, 33.33% 5.0%, 50.00% 50.0%, 66.67% 40.0%, 83.33% 1.0%" in html


def test_a_run_too_narrow_for_its_digit_has_none(strips):
    label = np.array([3] * 60 + [5] + [8] * 60)
    html = strips.ribbon(Reading(label, np.ones(121, np.float32), np.full(121, True)), every=4)
    assert '">3</span>' in html
    assert '">8</span>' in html
    assert 'title="5 in 1 of 121 frames, 100% to 100% sure"></span>' in html


def test_the_animation_holds_all_models_and_rests_at_the_digits(strips):
    walks = {name: np.linspace(0, 1, 5, dtype=np.float32)[:, None, None].repeat(28, 1).repeat(28, 2) for name in "ab"}
    confidence = np.full(5, 0.5, np.float32)
    reading = Reading(np.array([1, 1, 2, 2, 2]), confidence, confidence > 1)
    gif = Image.open(io.BytesIO(strips.animation(walks, dict.fromkeys(walks, reading), 50, 2)))
    shown = ImageSequence.all_frames(gif)
    assert [frame.info["duration"] for frame in shown] == [450, 50, 450, 50, 450, 50, 450, 50]
    middle = np.asarray(shown[2].convert("L")).astype(int)
    assert (abs(middle - 128) < 9).mean() == pytest.approx(2 * 112**2 / middle.size, rel=0.05)


def test_the_animation_can_be_downloaded(root, start):
    (button,) = start(root, digits="38").get("download_button")
    assert button.proto.label == "Download GIF"
