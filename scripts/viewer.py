"""The viewer started as a person starts it, and a Chromium in front of it: for timings, screenshots and tests."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
APP = REPOSITORY / "app" / "main.py"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SCREEN: ViewportSize = {"width": 1440, "height": 900}
READY = "footer.status", "[data-testid='stApp'][data-test-script-state='notRunning']"
PATIENCE = 60  # seconds for a server to answer

# Notes when a picture is drawn, when it became exact, and when a person let go.
STOPWATCH = """
globalThis.times = {drawn: [], exact: [], released: 0, pressed: 0};
const put = CanvasRenderingContext2D.prototype.putImageData;
CanvasRenderingContext2D.prototype.putImageData = function (...given) {
  put.apply(this, given);
  if (this.canvas.matches?.(".pixels")) times.drawn.push(performance.now());
};
addEventListener("pointerup", () => (times.released = performance.now()), true);
addEventListener("keydown", (event) => (times.pressed = times.released = event.timeStamp), true);
"""
WATCH = """(canvas) => new MutationObserver(() => canvas.dataset.exact === "true" && times.exact.push(performance.now()))
  .observe(canvas, {attributes: true, attributeFilter: ["data-exact"]})"""
# Two seconds of a mouse that moves twice a frame: playwright's own is too slow to show what the page can do.
DRAG = """async (field) => {
  const box = field.getBoundingClientRect();
  times.drawn.length = 0;
  for (let frame = 0; frame < 120; frame++) {
    for (const half of [0, 0.5]) {
      const turn = (frame + half) / 20;
      const [x, y] = [Math.cos(turn), Math.sin(turn)].map((value) => (1 + value / 2) * box.width / 2);
      field.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + x, clientY: box.top + y, pointerId: 1}));
    }
    await new Promise(requestAnimationFrame);
  }
  return times.drawn;
}"""
BLENDED = "times.drawn.find((time) => time >= times.pressed) - times.pressed"  # from a key to its picture


class NoChromium(Exception):
    """There is none on PATH or in CHROMIUM."""


@dataclass(frozen=True)
class Server:
    """A running viewer."""

    url: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def serve(script: Path = APP, root: Path | None = None) -> Iterator[Server]:
    """The viewer over a workspace, on a port and with a home of its own.

    Raises:
        RuntimeError: it did not start; the message is its log.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as home, (Path(home) / "log").open("w+") as log:
        environment = {**os.environ, "HOME": home} | ({"AUTOENCODER_ROOT": str(root)} if root else {})
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            if not _answers(process, f"{url}/_stcore/health"):
                log.seek(0)
                raise RuntimeError(f"the viewer did not start: {log.read()}")
            yield Server(url, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium.

    Raises:
        NoChromium: as the name says.
    """
    names = ("chromium", "google-chrome")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        raise NoChromium("no Chromium on PATH or in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


def settle(page: Page) -> None:
    """Wait until the page's script has run."""
    for selector in READY:
        page.locator(selector).wait_for(state="attached")


def wait_for_exact(page: Page) -> float:
    """Milliseconds from letting go to the exact picture."""
    page.wait_for_function("times.exact.some((time) => time > times.released)")
    return page.evaluate("times.exact.find((time) => time > times.released) - times.released")


def _answers(process: "subprocess.Popen[bytes]", url: str) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False
