"""The viewer: from `streamlit run` to the first page that one can use, in a real Chromium, beside an empty app."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.machine import spread

REPEATS = 5
READY = "footer.status", "[data-testid='stApp'][data-test-script-state='notRunning']"
EMPTY = "import streamlit as st\nst.html('<footer class=\"status\">nothing</footer>')\n"


def first_paint() -> dict[str, Any]:
    """Seconds until the server answers, from there to the first page, to the second visit, and the memory held.

    The empty app says what of it is Streamlit's and the browser's own; neither finds anything in a cache.
    """
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        raise RuntimeError("no Chromium on PATH or in CHROMIUM")
    runs: dict[str, list[dict[str, float]]] = {"viewer": [], "empty_app": []}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(REPEATS):
            for name, script in (("viewer", Path("app/main.py")), ("empty_app", empty)):
                runs[name].append(_start_and_visit(browser, script))
        browser.close()
    return {name: {key: spread([run[key] for run in found]) for key in found[0]} for name, found in runs.items()}


def _start_and_visit(browser: Browser, script: Path) -> dict[str, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        server = subprocess.Popen(
            command, env=os.environ | {"HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(f"{url}/_stcore/health")
            up = time.perf_counter()
            _visit(browser, url)
            painted = time.perf_counter()
            _visit(browser, url)
            again = time.perf_counter()
            memory = psutil.Process(server.pid).memory_info().rss
        finally:
            server.terminate()
            server.wait()
    return {
        "server_seconds": up - started,
        "first_page_seconds": painted - up,
        "next_visit_seconds": again - painted,
        "memory_mb": memory / 1e6,
    }


def _visit(browser: Browser, url: str) -> None:
    """Open the page in a fresh context (no cache) and wait until its script has run."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    for selector in READY:
        page.locator(selector).wait_for(state="attached")
    context.close()


def _wait_for(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the viewer did not start")
