"""The viewer in a real Chromium: what AppTest cannot see."""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser
REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
INSIDE = re.compile(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:")
PROBES = re.compile(
    r"/(sample|walk|compare|training|runs)/_stcore/"
)  # Streamlit's page first looks for its server below its path


@pytest.fixture(scope="module")
def browser():
    executable = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "google-chrome"))), None
    )
    if executable is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but there is no Chromium on PATH or in CHROMIUM")
        pytest.skip("no Chromium on PATH or in CHROMIUM")
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield instance
        instance.close()


@pytest.fixture
def url(root, tmp_path_factory):
    """A server over the workspace, as a person starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)],
            cwd=REPOSITORY,
            env={**os.environ, "AUTOENCODER_ROOT": str(root), "DEVICE": "cpu", "HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_server(server, f"http://127.0.0.1:{port}/_stcore/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def wait_for_server(server: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(health, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the viewer did not start: {log.read_text()}")


@pytest.fixture
def page(browser, url):
    """A page that fails its test on an error in the console and on any request that leaves this machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=url, reduced_motion="reduce")
    left, errors = [], []

    def guard(route) -> None:
        if INSIDE.match(route.request.url):
            route.continue_()
        else:
            left.append(route.request.url)
            route.abort()

    def listen(message) -> None:
        if message.type == "error" and not PROBES.search(message.location["url"]):
            errors.append(message.text)

    context.route("**/*", guard)
    opened = context.new_page()
    opened.on("console", listen)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert left == []
    assert errors == []


def settled(page: Page) -> None:
    """The script has run and nothing is pending."""
    page.locator("footer.status").wait_for()
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for(state="attached")
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("", "Reconstruct"),
        ("sample", "Sample"),
        ("walk", "Walk"),
        ("compare", "Compare"),
        ("training", "Training"),
    ],
)
def test_every_page_opens(page, path, title):
    page.goto(f"/{path}")
    settled(page)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("footer.status")).to_contain_text("onnxruntime")
    expect(page.locator("img.pixels").first).to_be_visible()


def test_runs_opens_and_says_that_there_is_nothing_to_compare_with(page):
    page.goto("/runs")
    settled(page)
    expect(page.get_by_text("not inside of a DVC repository")).to_be_visible()  # the test's workspace is none
    expect(page.get_by_role("cell", name="vae").first).to_be_visible()


def test_pixels_stay_crisp_and_whole(page):
    page.goto("/")
    settled(page)
    first = page.locator("img.pixels").first
    expect(first).to_have_css("image-rendering", "pixelated")
    box = first.bounding_box()
    assert box is not None
    assert box["width"] == box["height"]
    assert box["width"] % 28 == 0


def test_choices_survive_a_change_of_page_and_are_in_the_link(page):
    page.goto("/")
    settled(page)
    page.get_by_test_id("stSidebar").get_by_role("button", name="pca").click()
    page.wait_for_url("**?models=vae")
    page.get_by_role("link", name="Sample").click()
    expect(page.get_by_role("heading", name="Sample")).to_be_visible()
    settled(page)
    expect(page.locator(".card")).to_have_count(1)
    page.goto("/sample?models=pca&side=3")
    settled(page)
    expect(page.get_by_alt_text("9 samples of pca")).to_be_visible()


def test_a_new_export_is_picked_up_without_a_restart(page, root, export):
    page.goto("/")
    settled(page)
    expect(page.get_by_text("30 dimensions")).to_have_count(0)
    export(root, "vae", "vae", latent_dim=30)
    started = time.monotonic()
    expect(page.get_by_text("30 dimensions")).to_be_visible()
    assert time.monotonic() - started < 3


def test_a_damaged_model_is_named_and_mended_on_screen(page, root, export):
    for path in (root / "models" / "vae" / "onnx").glob("*.onnx"):
        path.write_bytes(b"x")
    page.goto("/")
    settled(page)
    expect(page.get_by_text("dvc repro export@vae")).to_be_visible()
    export(root, "vae", "vae")
    expect(page.get_by_text("dvc repro export@vae")).to_have_count(0)
    expect(page.locator(".name", has_text="vae")).to_be_visible()


def test_samples_can_be_downloaded(page):
    page.goto("/sample?side=2&seed=7")
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    assert download.value.suggested_filename == "samples_seed_7.png"
    picture = np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))
    assert picture.shape[0] > 4 * 56
    assert (picture == 0).sum() > 1000


def test_a_walk_moves_unless_that_is_unwanted_and_can_be_downloaded(page):
    page.goto("/walk?digits=38&models=vae")
    settled(page)
    film, line = page.locator(".film img"), page.locator(".way .now")
    expect(line).to_be_hidden()  # this browser asks for reduced motion
    expect(film).to_have_css("transform", "none")
    page.emulate_media(reduced_motion="no-preference")
    expect(line).to_be_visible()
    expect(film).not_to_have_css("transform", "none")
    page.get_by_role("textbox", name="Digits").fill("480")
    page.get_by_role("textbox", name="Digits").press("Enter")
    page.wait_for_url("**digits=480**")
    expect(page.locator(".stops figure")).to_have_count(3)
    page.get_by_text("Animation", exact=True).click()
    expect(line).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download GIF").click()
    assert download.value.suggested_filename == "walk_480_linear.gif"
    gif = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert gif.info["loop"] == 0
    assert len(ImageSequence.all_frames(gif)) > 24


def test_a_running_training_is_followed(page, root):
    page.goto("/training?model=vae")
    settled(page)
    expect(page.get_by_text("after epoch 3.")).to_be_visible()
    curve, pictures = root / "plots" / "vae" / "loss.csv", root / "models" / "vae" / "epochs"
    curve.write_text(curve.read_text() + "4,train,20,19,1\n4,validation,21,20,1\n5,tra")
    shutil.copy(pictures / "epoch_0001.png", pictures / "epoch_0004.png")
    expect(page.get_by_text("after epoch 4.")).to_be_visible()
