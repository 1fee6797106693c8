"""The page Explore, without a browser: what its widgets are given, and what moves the point."""

import base64
import hashlib
import io
import json
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from autoencoder.exported import load_model
from autoencoder.images import to_uint8
from autoencoder.surroundings import typical_code
from tests.pages import APP, open_page, page_html


@pytest.fixture
def explore(root, monkeypatch):
    """Open the page: `explore(name=value, ...)` with what the link says."""
    return lambda **query: checked(open_page(monkeypatch, root, "explore.py", **query))


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def given(app: AppTest, widget: str) -> dict:
    """The data of a widget."""
    protos = [element.proto for element in app.get("bidi_component")]
    return next(json.loads(proto.json) for proto in protos if proto.component_name == widget)


def point(app: AppTest) -> np.ndarray:
    return np.array(given(app, "latent_picture")["z"])


def pixels(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)


def test_the_page_shows_the_exact_picture_of_the_middle(explore, root):
    app = explore(model="vae")
    model = load_model(root / "models" / "vae" / "onnx")
    z = point(app)
    np.testing.assert_allclose(z, model.latents.test_mean.mean(0), rtol=1e-3, atol=1e-3)
    exact = to_uint8(model.decode(z[None]))
    np.testing.assert_array_equal(pixels(given(app, "latent_picture")["pixels"]), exact)


def test_a_link_restores_model_plane_and_point(explore):
    app = explore(model="pca", plane="Dimensions", across="z3", up="z1", z="1,2,3,4,5,6,7,8")
    assert point(app).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    shown = given(app, "latent_map")
    np.testing.assert_array_equal(shown["axes"], np.eye(8)[[3, 1]])
    assert shown["origin"] == [1, 0, 3, 0, 5, 6, 7, 8]  # of the cut through the point
    assert shown["caption"].startswith("z3 to the right, z1 upwards")


def test_the_map_decodes_what_lies_in_its_plane(explore, root):
    shown = given(explore(model="vae"), "latent_map")
    atlas = pixels(shown["atlas"])
    assert len(atlas) == shown["side"] ** 2
    corner = np.array(shown["middle"]) + shown["reach"] * np.array([-1, 1])
    z = np.array(shown["origin"]) + corner @ np.array(shown["axes"])
    model = load_model(root / "models" / "vae" / "onnx")
    np.testing.assert_array_equal(atlas[0], to_uint8(model.decode(z[None]))[0])
    places = np.frombuffer(base64.b64decode(shown["codes"]), "<f4").reshape(-1, 2)
    expected = (model.latents.test_mean - np.array(shown["origin"])) @ np.array(shown["axes"]).T
    np.testing.assert_allclose(places, expected, atol=1e-4)


def test_the_map_shows_digits_from_all_of_the_test_images(explore, root, digits, monkeypatch):
    monkeypatch.syspath_prepend(APP)
    monkeypatch.setattr(import_module("latent_widgets"), "MAPPED", 100)
    st.cache_data.clear()
    app = explore(model="vae")
    shown = given(app, "latent_map")
    assert np.frombuffer(base64.b64decode(shown["shown"]), "<u4").tolist() == list(range(0, 300, 3))
    places = np.frombuffer(base64.b64decode(shown["codes"]), "<f4").reshape(-1, 2)
    codes = load_model(root / "models" / "vae" / "onnx").latents.test_mean[::3]
    np.testing.assert_allclose(places, (codes - shown["origin"]) @ np.array(shown["axes"]).T, atol=1e-4)
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(shown["labels"]), np.uint8), digits[1][:300:3])
    [sheet] = re.findall(r'class="test-digits" src="data:image/png;base64,([^"]+)"', page_html(app))
    tiles = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet))))[:28].reshape(28, -1, 28).swapaxes(0, 1)
    np.testing.assert_array_equal(tiles, digits[0][:300:3][: len(tiles)])
    st.cache_data.clear()


def test_sliders_come_by_activity_with_a_strip_each(explore, root):
    given_sliders = given(explore(model="vae"), "latent_sliders")
    model = load_model(root / "models" / "vae" / "onnx")
    order = [dimension["index"] for dimension in given_sliders["dimensions"]]
    assert order == np.argsort(-model.latents.test_mean.std(0)).tolist()
    strips = pixels(given_sliders["strips"]).reshape(8, given_sliders["length"], 28, 28)
    z = point(explore(model="vae"))
    first = given_sliders["dimensions"][0]
    z[first["index"]] = first["high"]
    np.testing.assert_array_equal(strips[first["index"], -1], to_uint8(model.decode(z[None]))[0])


def collapse(path: Path, dimensions: list[int]) -> None:
    """Give an export codes that do not vary in these dimensions."""
    with np.load(path / "latents.npz") as arrays:
        latents = dict(arrays)
    latents["test_mean"][:, dimensions] = 0.5
    np.savez(path / "latents.npz", **latents)
    manifest = json.loads((path / "manifest.json").read_text())
    content = (path / "latents.npz").read_bytes()
    manifest["files"]["latents.npz"] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (path / "manifest.json").write_text(json.dumps(manifest))


def test_a_dimension_whose_codes_do_not_vary_comes_last_and_can_be_moved_all_the_same(explore, root):
    collapse(root / "models" / "vae" / "onnx", [2])
    last = given(explore(model="vae"), "latent_sliders")["dimensions"][-1]
    assert last["index"] == 2
    assert last["high"] - last["low"] > 5


def test_as_many_dimensions_are_dead_as_active_units_leaves_out(explore, root):
    (root / "details").mkdir()
    figures = root / "details" / "vae.json"
    for content, dead in (("", 0), ('{"active_units": 6}', 2), ('{"active_units": 0}', 8), ('{"latents": "other"}', 0)):
        figures.write_text(content)
        dimensions = given(explore(model="vae"), "latent_sliders")["dimensions"]
        assert [dimension["dead"] for dimension in dimensions] == [False] * (8 - dead) + [True] * dead


def test_the_plane_of_three_digits_marks_them(explore):
    app = explore(model="vae", plane="Digits")
    shown = given(app, "latent_map")
    assert [corner["label"] for corner in shown["corners"]] == ["0", "1", "2"]
    assert np.mean([corner["place"] for corner in shown["corners"]], axis=0) == pytest.approx([0, 0], abs=1e-4)
    app.sidebar.multiselect(key="corners").set_value([3, 5]).run()
    assert "Choose three" in " ".join(caption.value for caption in checked(app).sidebar.caption)
    app.sidebar.multiselect(key="corners").set_value([3, 5, 8]).run()
    shown = given(checked(app), "latent_map")
    assert [corner["label"] for corner in shown["corners"]] == ["3", "5", "8"]
    assert shown["caption"].startswith("Through typical digits of three kinds")
    app.sidebar.pills(key="digit").set_value(7).run()  # off that plane: none of the three digits is on the map any more
    shown = given(checked(app), "latent_map")
    assert shown["corners"] == []
    assert shown["caption"].startswith("Parallel to the plane through three typical digits, through the point")


@pytest.mark.parametrize(("alive", "share"), [(1, "100%"), (0, "0%")])
def test_a_collapsed_space_has_no_plane_of_three_digits_and_says_so(explore, root, alive, share):
    collapse(root / "models" / "vae" / "onnx", list(range(alive, 8)))
    app = explore(model="vae", plane="Digits")
    assert "lie on one line" in " ".join(caption.value for caption in app.sidebar.caption)
    assert given(app, "latent_map")["caption"].startswith(f"The two main axes of the codes, {share} of their variance")


def test_a_link_to_no_test_image_is_passed_over(explore):
    for index in ("9" * 5000, "-1", "x", "100000000"):
        assert (point(explore(model="vae", index=index)) == point(explore(model="vae"))).all()


def test_a_jump_goes_to_a_digit_and_the_button_back(explore):
    app = explore(model="vae")
    middle = point(app)
    app.sidebar.pills(key="digit").set_value(4).run()
    html = "".join(element.proto.body for element in checked(app).get("html"))
    assert 'alt="test digit 4,' in html.split('class="nearest"')[1].split("</li>")[0]
    assert app.sidebar.pills(key="digit").value is None
    assert app.query_params["z"] == app.text_input(key="z").value
    assert np.abs(point(app) - middle).max() > 0.1
    app.sidebar.button[0].click().run()
    np.testing.assert_array_equal(point(checked(app)), middle)


def test_moves_within_the_plane_keep_the_atlas_and_others_do_not(explore):
    app = explore(model="vae")
    before = given(app, "latent_map")
    z = np.array(before["origin"]) + np.array([0.7, -0.4]) @ np.array(before["axes"])
    app.text_input(key="z").set_value(",".join(f"{value:.4g}" for value in z)).run()
    assert given(checked(app), "latent_map") == before
    app.text_input(key="z").set_value(",".join(f"{value:.4g}" for value in z + 1)).run()
    after = given(checked(app), "latent_map")
    assert after["atlas"] != before["atlas"]
    assert after["axes"] == before["axes"]


def test_the_same_digit_is_shown_in_another_model(explore, root, export):
    app = explore(model="vae")
    app.sidebar.pills(key="digit").set_value(7).run()
    export(root, "ae", "ae", latent_dim=12)
    (root / "params.yaml").write_text((root / "params.yaml").read_text() + "  ae: {kind: ae, latent_dim: 12}\n")
    app.run()
    app.sidebar.pills(key="model").set_value("ae").run()
    before, after = (load_model(root / "models" / name / "onnx").latents for name in ("vae", "ae"))
    seven = typical_code(before.test_mean, before.test_labels, 7)
    np.testing.assert_allclose(point(checked(app)), after.test_mean[seven], rtol=1e-3, atol=1e-3)


def test_a_new_export_leaves_a_point_in_its_model(explore, root, export):
    app = explore()
    assert app.sidebar.pills(key="model").value == "vae"
    app.sidebar.pills(key="digit").set_value(7).run()
    export(root, "vae_2d", "vae", latent_dim=2)
    (root / "params.yaml").write_text((root / "params.yaml").read_text() + "  vae_2d: {kind: vae, latent_dim: 2}\n")
    checked(app.run())
    assert app.sidebar.pills(key="model").value == "vae"
    assert explore().sidebar.pills(key="model").value == "vae_2d"  # for whoever comes anew


def test_back_in_the_middle_the_three_digits_are_there_again(explore):
    app = explore(model="vae", plane="Digits")
    assert len(given(app, "latent_map")["corners"]) == 3
    app.sidebar.pills(key="digit").set_value(7).run()
    assert not given(app, "latent_map")["corners"]
    next(button for button in app.sidebar.button if button.label == "Back to the middle").click().run()
    assert len(given(checked(app), "latent_map")["corners"]) == 3


@pytest.mark.parametrize(("text", "problem"), [("1,2", "has 8 numbers, not 2"), ("a", "numbers with commas")])
def test_a_wrong_point_is_named_and_the_middle_shown(explore, text, problem):
    app = explore(model="vae", z=text)
    assert problem in app.sidebar.warning[0].value
    np.testing.assert_array_equal(point(app), point(explore(model="vae")))


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_small_latent_space_is_its_own_plane(explore, root, export, latent_dim):
    export(root, "vae", "vae", latent_dim=latent_dim)
    app = explore(model="vae")
    assert not [control for control in app.sidebar.segmented_control if control.key == "plane"]
    assert len(given(app, "latent_sliders")["dimensions"]) == latent_dim
    assert given(app, "latent_map")["outline"] is not None


def test_distances_are_from_the_prior_of_a_vae_and_from_the_codes_of_others(explore, root):
    assert given(explore(model="vae"), "latent_picture")["prior"] == "N(0, I)"
    facts = given(explore(model="pca"), "latent_picture")
    assert facts["prior"] == "the codes' Gaussian"
    model = load_model(root / "models" / "pca" / "onnx")
    prior = model.latents.priors["gaussian"]
    whitening = np.array(facts["whitening"])
    np.testing.assert_allclose(whitening @ prior.factors[0], np.eye(8), atol=1e-6)


def test_choices_stay_when_the_page_is_left(explore):
    app = explore(model="pca", plane="Dimensions", z="1,2,3,4,5,6,7,8")
    app.switch_page(str(APP / "sample.py")).run()
    app.switch_page(str(APP / "explore.py")).run()
    assert point(checked(app)).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert given(app, "latent_map")["caption"].startswith("z0 to the right")


def test_a_test_image_can_be_gone_to_by_its_number_again_and_again(explore, root):
    codes = load_model(root / "models" / "vae" / "onnx").latents.test_mean
    app = explore(model="vae")
    for _ in range(2):
        app.sidebar.number_input(key="number").set_value(17).run()
        assert point(checked(app)) == pytest.approx(codes[17], rel=1e-3, abs=1e-3)
        assert app.sidebar.number_input(key="number").value is None
        [button] = [button for button in app.sidebar.button if "middle" in button.label]
        button.click().run()
        assert point(checked(app)) == pytest.approx(codes.mean(0), rel=1e-2, abs=1e-2)


def test_the_digit_of_another_page_is_where_the_first_visit_begins(root, monkeypatch):
    codes = load_model(root / "models" / "vae" / "onnx").latents.test_mean
    app = open_page(monkeypatch, root, images="Index", index="42")
    app.switch_page(str(APP / "explore.py")).run()
    assert point(checked(app)) == pytest.approx(codes[42], rel=1e-3, abs=1e-3)
    assert app.query_params["z"] == app.text_input(key="z").value
    [button] = [button for button in app.sidebar.button if "middle" in button.label]
    button.click().run()
    assert point(checked(app)) == pytest.approx(codes.mean(0), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize("page", ["compare.py", "reconstruct.py"])
def test_a_digit_that_nobody_chose_does_not_move_the_point(root, monkeypatch, page):
    codes = load_model(root / "models" / "vae" / "onnx").latents.test_mean
    app = open_page(monkeypatch, root, page)
    app.switch_page(str(APP / "explore.py")).run()
    assert point(checked(app)) == pytest.approx(codes.mean(0), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize(("index", "where"), [("42", 42), ("100000", None), ("x", None)])
def test_a_link_may_name_the_digit_to_begin_at(explore, root, index, where):
    codes = load_model(root / "models" / "vae" / "onnx").latents.test_mean
    expected = codes.mean(0) if where is None else codes[where]
    assert point(explore(model="vae", index=index)) == pytest.approx(expected, rel=1e-2, abs=1e-2)


def test_a_point_in_the_link_goes_before_the_digit(explore):
    z = "1,2,3,4,5,6,7,8"
    assert point(explore(model="pca", index="42", z=z)).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
