"""Digits of a person's own: drawn or uploaded on Reconstruct, then on Explore's map, without a browser."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from autoencoder.exported import load_model
from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.planes import Plane
from autoencoder.preparation import from_strokes
from autoencoder.reconstruction import reconstruct
from autoencoder.surroundings import shadow
from scripts.photographs import SETTINGS, photograph
from tests.pages import APP, messages, open_page, page_html

ONE = [[140, 40, 140, 240]]
CROSS = [[60, 60, 220, 220], [220, 60, 60, 220]]


@pytest.fixture
def draw(root, monkeypatch):
    """The page with this on its canvas."""

    def opened(strokes: list[list[float]]) -> AppTest:
        app = open_page(monkeypatch, root, images="Draw")
        app.session_state.strokes = strokes
        return app.run()

    return opened


@pytest.fixture
def upload(root, monkeypatch):
    """The page after a file was uploaded."""

    def opened(name: str, content: bytes) -> AppTest:
        app = open_page(monkeypatch, root, images="Upload")
        return app.file_uploader(key="upload").upload(name, content, "image/png").run()

    return opened


def photographed(digit: np.ndarray) -> bytes:
    return photograph(digit, SETTINGS["photographed"], np.random.default_rng(0))


def shown(html: str, alt: str) -> np.ndarray:
    """The picture with this description."""
    found = re.search(rf'src="data:image/png;base64,([^"]+)" alt="{re.escape(alt)}"', html)
    assert found, alt
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def test_an_empty_canvas_asks_for_a_drawing(draw):
    html = page_html(draw([]))
    assert "Nothing yet." in html
    assert "<table>" not in html


def test_a_drawing_is_shown_as_the_encoder_sees_it_and_reconstructed(draw, root):
    html = page_html(draw(ONE))
    prepared = from_strokes(ONE)
    assert prepared is not None
    pixels = to_uint8(prepared)
    np.testing.assert_array_equal(shown(html, "What the encoder sees"), pixels)
    decoded = reconstruct(load_model(root / "models" / "pca" / "onnx"), to_unit_interval(pixels)[None])[0]
    np.testing.assert_array_equal(shown(html, "pca: reconstruction of your drawing"), to_uint8(decoded))
    error = np.square(decoded - to_unit_interval(pixels)).mean()
    assert f">{error:.4f}" in html
    assert "The classifier reads" in html


def test_a_vae_s_code_is_shown_as_mean_and_spread(draw, root):
    html = page_html(draw(ONE))
    prepared = from_strokes(ONE)
    assert prepared is not None
    encoding = load_model(root / "models" / "vae" / "onnx").encode(to_unit_interval(to_uint8(prepared))[None])
    assert encoding.log_var is not None
    found = {int(index): (mean, std) for index, mean, std in re.findall(r'title="z(\d+): (\S+) ± (\S+)"', html)}
    assert len(found) == encoding.mean.shape[1]
    for index, (mean, std) in found.items():
        assert (mean, std) == (f"{encoding.mean[0, index]:.2f}", f"{np.exp(0.5 * encoding.log_var[0, index]):.2f}")


def test_a_drawing_stays_while_other_pages_are_visited(draw):
    app = draw(CROSS)
    before = page_html(app)
    app.switch_page(str(APP / "walk.py")).run()
    app.switch_page(str(APP / "reconstruct.py")).run()
    assert page_html(app) == before


def test_a_photograph_is_prepared(upload, digits):
    html = page_html(upload("seven.jpg", photographed(digits[0][3])))
    prepared = shown(html, "What the encoder sees").astype(float)
    assert prepared.max() > 200
    rows, columns = (np.flatnonzero((prepared > 100).any(axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
    assert shown(html, "the photograph").shape == (210, 280)
    assert "<table>" in html


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GIF89a", "no picture that can be read here"),
        (photographed(np.zeros((28, 28), np.uint8)), "no digit to be seen"),
    ],
)
def test_what_shows_no_digit_gets_its_sentence(upload, content, message):
    app = upload("it.png", content)
    assert message in messages(app)
    assert "Nothing yet." in page_html(app)


def test_taking_an_upload_back_forgets_it(upload, digits):
    app = upload("seven.jpg", photographed(digits[0][3]))
    app.file_uploader(key="upload").set_value(None).run()
    assert "Nothing yet." in page_html(app)


def test_what_was_wrong_with_a_file_is_forgotten_with_it(upload):
    app = upload("it.png", b"GIF89a")
    assert "no picture that can be read here" in messages(app)
    app.switch_page(str(APP / "walk.py")).run()
    app.switch_page(str(APP / "reconstruct.py")).run()
    assert messages(app) == ""


def test_a_photograph_that_was_kept_without_its_file_can_be_removed(upload, digits):
    app = upload("seven.jpg", photographed(digits[0][3]))
    assert not app.button  # the uploader has a cross of its own
    app.switch_page(str(APP / "walk.py")).run()
    app.switch_page(str(APP / "reconstruct.py")).run()
    assert "the photograph" in page_html(app)
    app.button(key="remove").click().run()
    assert "Nothing yet." in page_html(app)
    assert "own_digit" not in app.session_state


@pytest.mark.parametrize("model", ["vae", "pca"])
def test_explore_shows_where_the_encoder_puts_the_drawing(draw, root, model):
    app = draw(ONE)
    app.query_params["model"] = model
    app.switch_page(str(APP / "explore.py")).run()
    assert not app.exception
    [button] = [button for button in app.sidebar.button if "drawing" in button.label]
    button.click().run()
    prepared = from_strokes(ONE)
    assert prepared is not None
    mean = load_model(root / "models" / model / "onnx").encode(to_unit_interval(to_uint8(prepared))[None]).mean[0]
    point = [float(value) for value in app.sidebar.text_input(key="z").value.split(",")]
    assert point == pytest.approx(mean.tolist(), rel=1e-3, abs=1e-4)
    caption = given(app)["caption"]
    assert ("Ring: your drawing, 2 standard deviations around" in caption) is (model == "vae")
    assert ("Dot: your drawing." in caption) is (model == "pca")


def test_explore_without_a_drawing_has_no_such_button(root, monkeypatch):
    app = open_page(monkeypatch, root, "explore.py")
    assert not [button for button in app.sidebar.button if "your" in button.label]


def given(app: AppTest) -> dict:
    """The data of Explore's map."""
    protos = [element.proto for element in app.get("bidi_component")]
    return next(json.loads(proto.json) for proto in protos if proto.component_name == "latent_map")


def test_the_map_holds_the_drawing_s_mean_and_its_spread(draw, root):
    app = draw(ONE)
    app.query_params["model"] = "vae"
    app.switch_page(str(APP / "explore.py")).run()
    shown_map = given(app)
    prepared = from_strokes(ONE)
    assert prepared is not None
    encoding = load_model(root / "models" / "vae" / "onnx").encode(to_unit_interval(to_uint8(prepared))[None])
    assert encoding.deviations is not None
    plane = Plane(np.array(shown_map["origin"]), np.array(shown_map["axes"]))
    ring = np.array(shown_map["own"]["ring"])
    assert shown_map["own"]["name"] == "your drawing"
    assert ring.mean(0) == pytest.approx(plane.coordinates(encoding.mean)[0], abs=1e-3)
    np.testing.assert_allclose(ring, shadow(encoding.mean[0], encoding.deviations[0], plane, 2.0), atol=1e-3)
    assert np.abs(ring.mean(0) - shown_map["middle"]).max() <= shown_map["reach"]


def test_a_drawing_that_was_cleared_is_off_the_map(draw):
    app = draw(ONE)
    app.session_state.strokes = []
    app.run()
    app.switch_page(str(APP / "explore.py")).run()
    assert given(app)["own"] is None
    assert not [button for button in app.sidebar.button if "your" in button.label]
