"""What all pages of the viewer have in common, without a browser: workspaces, models that change, devices."""

import ast
import gc
import json
import os
import re
import subprocess
import sys
import tomllib
import weakref
from functools import partial

import numpy as np
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from autoencoder.inference import DeviceError, Session
from tests.pages import APP, messages, open_page, page_html, show


@pytest.fixture
def start(monkeypatch):
    """Start the viewer over a folder: `start(root)`, with what the link says as keywords."""
    return partial(open_page, monkeypatch)


@pytest.fixture
def app(root, start) -> AppTest:
    """The viewer over a finished workspace, its first page shown."""
    return start(root)


def test_the_demo_is_shown_and_labelled_when_nothing_else_is_there(root, tmp_path, start, export):
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "params.yaml").write_text("models: {vae: {kind: vae}}\n")
    (outer / "demo").symlink_to(root)
    app = start(outer)
    assert "Demo: scikit-learn digits, not MNIST" in page_html(app)
    export(outer, "vae", "vae")
    (outer / "data").symlink_to(root / "data")
    assert "Demo:" not in page_html(app.run())


def test_a_broken_demo_does_not_hide_the_models(app, root):
    (root / "demo").mkdir()
    (root / "demo" / "params.yaml").touch()
    assert not messages(app.run())


def test_without_any_model_the_command_is_shown(tmp_path, start):
    (tmp_path / "params.yaml").write_text("models: {vae: {kind: vae}}\n")
    app = start(tmp_path)
    assert "`dvc repro`" in messages(app)
    assert "`make demo`" in messages(app)


def test_a_folder_without_params_yaml_is_said_to_have_none(tmp_path, start):
    app = start(tmp_path)
    assert "There is no params.yaml here" in messages(app)
    assert "no models to follow" in messages(show(app, "training.py"))


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("", "models = None: expected"),
        ("[]", "models = []: expected"),
        ("{}", "models = {}: expected"),
        ("{vae: }", "models.vae = None: expected a section"),
        ("{vae: {latent_dim: 2}}", "models.vae.kind is missing"),
        ("{vae: {kind: vae, latent_dim: twenty}}", "models.vae.latent_dim = 'twenty': expected a valid integer"),
        ("{vae: {kind: vae, epochs: }}", "models.vae.epochs = None: expected a valid integer"),
    ],
)
def test_a_params_yaml_that_is_being_typed_is_quoted(models, message, root, start):
    (root / "params.yaml").write_text(f"models: {models}\n")
    app = start(root)
    assert not app.exception
    assert f"params.yaml: {message}" in messages(app)


@pytest.mark.parametrize(
    "content", ["models: {vae: {kind: }}\n", "models: {vae: {kind: vae\n", "models:\n  vae:\n\tkind: vae\n"]
)
def test_pages_go_on_with_the_models_of_before_while_params_yaml_is_being_typed(content, app, root):
    path = root / "params.yaml"
    finished, shown = path.read_text(), page_html(app)
    path.write_text(content)
    app.run()
    assert page_html(app) == shown
    assert re.search(r"params\.yaml.*\. The models are those that it listed before\.", messages(app), re.DOTALL)
    path.write_text(finished)
    assert not messages(app.run())


def test_a_params_yaml_that_cannot_be_read_at_all_is_named(root, start):
    (root / "params.yaml").unlink()
    (root / "params.yaml").mkdir()
    assert "params.yaml" in messages(start(root))


def test_a_params_yaml_with_a_mistake_is_quoted(root, start):
    (root / "params.yaml").write_text("models: {vae: 1, vae: 2}\n")
    app = start(root)
    assert "params.yaml" in messages(app)


def test_a_tampered_model_is_named_with_its_cure_and_the_others_are_shown(root, start):
    path = root / "models" / "vae" / "onnx" / "decoder.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    app = start(root)
    assert "`models/vae/onnx/decoder.onnx` is not the file that was exported" in messages(app)
    assert "`dvc repro export@vae`" in messages(app)
    assert '<span class="name">pca</span>' in page_html(app)


def test_a_model_stays_on_screen_while_its_successor_is_made(app, root, export):
    before = page_html(app)
    folder = root / "models" / "vae" / "onnx"
    for path in folder.iterdir():
        path.unlink()
    app.run()
    assert "shown as it was last opened" in messages(app)
    assert page_html(app) == before
    export(root, "vae", "vae", latent_dim=30)
    app.run()
    assert messages(app) == ""
    assert "30 dimensions" in page_html(app)


def test_a_model_that_has_just_been_exported_joins_those_that_nobody_has_chosen(root, start):
    """A first `dvc repro`, watched: the models come one by one."""
    folder = root / "models" / "vae" / "onnx"
    folder.rename(root / "elsewhere")
    app = start(root)
    show(app, "sample.py")
    (root / "elsewhere").rename(folder)
    assert app.run().sidebar.pills(key="models").value == ["pca", "vae"]
    folder.rename(root / "elsewhere")
    app.run().sidebar.pills(key="models").set_value(["pca"]).run()
    (root / "elsewhere").rename(folder)
    assert app.run().sidebar.pills(key="models").options == ["pca", "vae"]
    assert app.sidebar.pills(key="models").value == ["pca"]  # this was chosen
    assert show(app, "reconstruct.py").sidebar.pills(key="models").value == ["pca"]


def test_a_page_s_own_default_model_is_not_another_page_s_choice(root, start):
    os.utime(root / "plots" / "pca" / "loss.csv", (2e9, 2e9))  # the newest curve
    app = start(root)
    assert show(app, "explore.py").sidebar.pills(key="model").value == "vae"
    assert show(app, "training.py").sidebar.pills(key="model").value == "pca"
    assert show(app, "explore.py").sidebar.pills(key="model").value == "vae"
    app.sidebar.pills(key="model").set_value("pca").run()
    (root / "plots" / "vae" / "loss.csv").touch()
    assert show(app, "training.py").sidebar.pills(key="model").value == "pca"
    assert show(app, "explore.py").sidebar.pills(key="model").value == "pca"  # this was chosen


def test_a_model_of_other_data_is_left_out_until_its_export_is_made_again(root, start, export):
    export(root, "vae", "vae", dataset="fashion_mnist", data_sha256="1" * 64)
    app = start(root)
    assert '<span class="name">vae</span>' not in page_html(app)
    assert "**vae** is left out: it was exported for other data (fashion_mnist) than pca (mnist)" in messages(app)
    export(root, "vae", "vae")
    app.run()
    assert messages(app) == ""
    assert '<span class="name">vae</span>' in page_html(app)


def test_what_a_new_export_has_replaced_is_let_go(root, monkeypatch, export):
    monkeypatch.syspath_prepend(APP)
    from opened import Opened

    loaded: list[tuple[object, ...]] = []

    class Model:
        def __init__(self, *arguments: object) -> None:
            loaded.append(arguments)

    opened, folder = Opened(Model), export(root, "vae", "vae")
    first = weakref.ref(opened.current(folder, ""))
    assert opened.current(folder, "") is first() is opened.last(folder)
    assert len(loaded) == 1
    export(root, "vae", "vae", latent_dim=3)
    opened.current(folder, "")
    gc.collect()
    assert len(loaded) == 2
    assert first() is None
    assert len(opened.all()) == 1


def test_missing_data_is_named_with_the_command(app, root):
    (root / "data" / "mnist.npz").unlink()
    app.run()
    assert "`data/mnist.npz` is missing. To mend it: `dvc repro download`" in messages(app)


def test_models_come_in_the_order_of_params(app, root, export):
    export(root, "removed_since", "ae")
    app.run()
    assert list(app.sidebar.pills(key="models").options) == ["pca", "vae"]


def test_a_model_that_is_not_exported_yet_is_named_with_its_command(root, start):
    (root / "models" / "vae" / "onnx").rename(root / "elsewhere")
    app = start(root)
    assert "Not exported yet: vae (`dvc repro export@vae`)" in app.sidebar.caption[0].value
    assert list(app.sidebar.pills(key="models").options) == ["pca"]


def test_choices_that_no_longer_exist_are_dropped(app, root, export):
    export(root, "ae", "ae")
    curve = (root / "plots" / "vae" / "loss.csv").read_text()
    (root / "plots" / "ae").mkdir()
    (root / "plots" / "ae" / "loss.csv").write_text(
        "\n".join(line.rpartition(",")[0] for line in curve.splitlines()) + "\n"
    )
    (root / "params.yaml").write_text("models: {vae: {kind: vae, epochs: 3}, ae: {kind: ae, epochs: 3}}\n")
    app.run()
    assert '<span class="name">vae</span>' in page_html(app)
    show(app, "training.py")
    app.sidebar.pills(key="model").set_value("vae").run()
    app.segmented_control(key="term").set_value("kl_divergence").run()
    app.sidebar.pills(key="model").set_value("ae").run()
    assert app.segmented_control(key="term").value == "loss"
    page_html(app)
    (root / "params.yaml").write_text("models: {vae: {kind: vae, epochs: 3}}\n")
    app.run()
    assert app.sidebar.pills(key="model").value == "vae"
    assert '<span class="name">vae</span>' in page_html(show(app, "reconstruct.py"))


def test_an_index_beyond_a_smaller_test_set_is_dropped(app, root, digits):
    app.sidebar.segmented_control(key="images").set_value("Index").run()
    app.sidebar.number_input(key="index").set_value(250).run()
    np.savez(root / "data" / "mnist.npz", test_images=digits[0][:20], test_labels=digits[1][:20])
    assert "test image:" in page_html(app.run())


def test_a_device_that_is_not_there_is_an_error(root, start):
    app = start(root, device="cuda:77")
    assert "cuda:77 was asked for, but" in messages(app)


def test_a_gpu_asked_for_by_name_that_is_lost_while_it_serves_is_an_error(app, monkeypatch):
    def fail(*_: object) -> None:
        raise DeviceError("CUDA was asked for, but CUDA failure 719: unspecified launch failure")

    monkeypatch.setattr(Session, "run", fail)
    app.sidebar.segmented_control(key="images").set_value("Index").run()
    app.sidebar.number_input(key="index").set_value(7).run()
    assert "unspecified launch failure. Unset `DEVICE` to serve on what works." in messages(app)


def test_first_page_imports_neither_torch_nor_onnx_nor_stages(root):
    code = (
        "import json, sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(APP / 'main.py')!r}, default_timeout=20).run()\n"
        "assert not app.exception and len(app.get('html')) > 2\n"
        "print(json.dumps(sorted({'torch', 'onnx', 'stages', 'pandas', 'sklearn'} & sys.modules.keys())))"
    )
    environment = {**os.environ, "AUTOENCODER_ROOT": str(root), "PYTHONPATH": str(APP)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_every_choice_that_is_in_the_link_is_kept_from_page_to_page():
    calls = [
        {keyword.arg: keyword.value for keyword in node.keywords} | {"": node.func}
        for path in APP.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]
    chosen = [call for call in calls if "bind" in call or ast.unparse(call[""]) == "layout.choose_one"]
    keys = {call["key"].value for call in chosen if isinstance(call["key"], ast.Constant)}  # a helper's is a name
    (kept,) = re.findall(r"^KEPT = (\{.*?\})", (APP / "main.py").read_text(), re.MULTILINE | re.DOTALL)
    assert keys == ast.literal_eval(kept)


def test_streamlit_knows_every_option_that_is_set():
    def flat(tree, prefix=""):
        for key, value in tree.items():
            yield from flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]

    for option in flat(tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text())):
        config.get_option(option)  # raises for one that it does not know


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("reconstruct.py", "images"),
        ("reconstruct.py", "decode"),
        ("sample.py", "prior"),
        ("explore.py", "plane"),
        ("explore.py", "model"),
        ("walk.py", "path"),
        ("compare.py", "view"),
        ("training.py", "term"),
        ("training.py", "model"),
    ],
)
def test_a_link_with_an_empty_value_shows_the_usual_page(page, name, root, start):
    assert page_html(start(root, page, **{name: ""})) == page_html(start(root, page))
