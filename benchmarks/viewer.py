"""The viewer: from `streamlit run` to the first page that one can use, in a real Chromium, beside an empty app."""

import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser

from benchmarks.timing import spread
from scripts.viewer import APP, SCREEN, chromium, serve, settle

REPEATS = 5
EMPTY = "import streamlit as st\nst.html('<footer class=\"status\">nothing</footer>')\n"


def first_paint() -> dict[str, Any]:
    """Seconds until the server answers, from there to the first page, to the second visit, and the memory held.

    The empty app says what of it is Streamlit's and the browser's own; neither finds anything in a cache.
    """
    runs: dict[str, list[dict[str, float]]] = {"viewer": [], "empty_app": []}
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        for _ in range(REPEATS):
            for name, script in (("viewer", APP), ("empty_app", empty)):
                runs[name].append(_start_and_visit(browser, script))
    return {name: {key: spread([run[key] for run in found]) for key in found[0]} for name, found in runs.items()}


def _start_and_visit(browser: Browser, script: Path) -> dict[str, float]:
    started = time.perf_counter()
    with serve(script) as server:
        up = time.perf_counter()
        _visit(browser, server.url)
        painted = time.perf_counter()
        _visit(browser, server.url)
        again = time.perf_counter()
        memory = psutil.Process(server.process.pid).memory_info().rss
    return {
        "server_seconds": up - started,
        "first_page_seconds": painted - up,
        "next_visit_seconds": again - painted,
        "memory_mb": memory / 1e6,
    }


def _visit(browser: Browser, url: str) -> None:
    """Open the page in a fresh context (no cache) and wait until its script has run."""
    context = browser.new_context(viewport=SCREEN)
    page = context.new_page()
    page.goto(url)
    settle(page)
    context.close()
