"""Pictures of every page of the viewer, in both themes and as on a phone, for docs/viewer.md; `make screenshots`.

They show the workspace as it is: what `make repro` has made.
"""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from autoencoder.config import Parameters
from scripts.photographs import SETTINGS, photograph
from scripts.viewer import SCREEN, NoChromium, chromium, serve, settle

FOLDER = Path("docs/viewer")
PHONE: ViewportSize = {"width": 390, "height": 844}
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
STILL = 1500  # milliseconds for widgets and charts to be drawn
TWO = (80, 90, 110, 50, 160, 50, 190, 90, 170, 140, 80, 220, 200, 220)  # a 2, as corners on the canvas
PHOTOGRAPHED, LIGHT = 0, 5  # the test image that the uploaded photograph shows, and the seed of its light


@dataclass(frozen=True)
class Shot:
    """A picture: its name, the link, and what a person does there first."""

    name: str
    link: str
    first: Callable[[Page], None] | None = None
    phone: bool = False


def draw(page: Page) -> None:
    """A 2 on the canvas."""
    canvas = page.get_by_role("img", name="Canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    corners = [(box["x"] + x, box["y"] + y) for x, y in zip(TWO[::2], TWO[1::2], strict=True)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()
    page.get_by_text("The classifier reads").wait_for()


def upload(page: Page) -> None:
    """A photograph of a test digit on a sheet of paper."""
    dataset = Parameters.load(Path("params.yaml")).tree["data"]["dataset"]
    with np.load(f"data/{dataset}.npz") as arrays:
        content = photograph(arrays["test_images"][PHOTOGRAPHED], SETTINGS["bad_light"], np.random.default_rng(LIGHT))
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "photograph.jpg", "mimeType": "image/jpeg", "buffer": content}
    )
    page.get_by_text("The classifier reads").wait_for()


def draw_and_explore(page: Page) -> None:
    """A drawing, and where the encoder of `vae` puts it on the map."""
    draw(page)
    page.get_by_role("link", name="Explore").click()
    page.get_by_role("heading", name="Explore").wait_for()
    settle(page)
    page.get_by_test_id("stSidebar").get_by_text("vae", exact=True).click()
    page.get_by_text("Digits", exact=True).wait_for()  # planes: this model has more than two dimensions
    page.get_by_role("button", name="Go to your drawing").click()


SHOTS = (
    Shot("reconstruct", "/", phone=True),
    Shot("draw", "/?images=Draw", draw, phone=True),
    Shot("upload", "/?images=Upload", upload),
    Shot("sample", "/sample", phone=True),
    Shot("explore", "/explore", phone=True),
    Shot("explore_drawing", "/?images=Draw", draw_and_explore),
    Shot("walk", "/walk"),
    Shot("compare", "/compare"),
    Shot("compare_figures", "/compare?view=Figures"),
    Shot("compare_claims", "/compare?view=The+two+claims"),
    Shot("training", "/training?model=vae"),
    Shot("runs", "/runs"),
)


def main() -> None:
    """Make them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with serve() as server, chromium() as browser:
            for shot in SHOTS:
                for theme in THEMES:
                    save(f"{shot.name}_{theme}", take(browser, server.url, shot, theme, SCREEN))
                if shot.phone:
                    save(f"{shot.name}_phone", take(browser, server.url, shot, THEMES[0], PHONE))
    except NoChromium as error:
        sys.exit(f"error: {error}")


def take(browser: Browser, url: str, shot: Shot, theme: Theme, size: ViewportSize) -> bytes:
    """One picture, as PNG."""
    context = browser.new_context(viewport=size, color_scheme=theme, base_url=url, reduced_motion="reduce")
    page = context.new_page()
    page.goto(shot.link)
    settle(page)
    if shot.first:
        shot.first(page)
    page.wait_for_timeout(STILL)
    settle(page)
    picture = page.screenshot()
    context.close()
    return picture


def save(name: str, png: bytes) -> None:
    """Write it as small as it gets without loss: git keeps these."""
    path = FOLDER / f"{name}.webp"
    Image.open(io.BytesIO(png)).convert("RGB").save(path, lossless=True, quality=100, method=6)
    print(path)


if __name__ == "__main__":
    main()
