"""How long the viewer takes to answer a person, and ten persons at once; measured in the page, in milliseconds."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.timing import spread
from scripts.viewer import BLENDED, DRAG, SCREEN, STOPWATCH, WATCH, Server, chromium, serve, settle, wait_for_exact

REPEATS = 15
PAGES = ("Sample", "Explore", "Walk", "Compare", "Training", "Reconstruct")
SESSIONS = 10
SECONDS = 20  # of ten sessions, each doing something every second
ASKED = (("", "Shuffle"), ("sample", "Seed"))  # pages, and their number fields
STROKE = ((100, 40), (180, 60), (120, 240))
STEP_UP = "[data-testid=stNumberInputStepUp]"
# When the browser has drawn that what the selector finds has changed.
CHANGED = """globalThis.changed = (watched) => new Promise((resolve) => {
  const seen = () => document.querySelector(watched)?.outerHTML;
  const before = seen();
  const observer = new MutationObserver(() => {
    if (!seen() || seen() === before) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
  });
  observer.observe(document.body, {subtree: true, childList: true, attributes: true});
});"""
CLICK = """async ([button, watched]) => {
  const answer = changed(watched), started = performance.now();
  document.querySelector(button).click();
  return (await answer) - started;
}"""
# From a click on a page's name until that page's script has run.
SWITCH = """(name) => new Promise((resolve) => {
  const started = performance.now();
  const done = () =>
    document.querySelector("header.page h1")?.textContent === name && document.querySelector("footer.status") &&
    document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning";
  const look = () => (done() ? resolve(performance.now() - started) : requestAnimationFrame(look));
  [...document.querySelectorAll("a")].find((link) => link.textContent.endsWith(name)).click();
  requestAnimationFrame(look);
})"""


def interaction() -> dict[str, Any]:
    """One person: a slider, a drag, a stroke, another choice, other pages. Then ten persons at once."""
    with serve() as server, chromium() as browser:
        return {
            **{name: measure(_open(browser, server, link)) for name, (link, measure) in ACTIONS.items()},
            "ten_sessions": _ten_sessions(browser, server),
        }


def _open(browser: Browser, server: Server, link: str) -> Page:
    page = browser.new_context(viewport=SCREEN, base_url=server.url).new_page()
    page.add_init_script(STOPWATCH + CHANGED)
    page.goto(link)
    settle(page)
    page.wait_for_timeout(1000)
    return page


def _repeated(act: Callable[[], float]) -> dict[str, float]:
    act()  # what only the first time costs is not the question
    return spread([act() for _ in range(REPEATS)])


def _explored(page: Page) -> dict[str, dict[str, float]]:
    """A key on a slider until the blended picture, from there until the exact one, and pictures a second in a drag."""
    page.locator("canvas.pixels").evaluate(WATCH)
    blended, exact, rates = [], [], []
    for _ in range(REPEATS):
        page.get_by_role("slider").first.press("ArrowRight")
        blended.append(page.evaluate(BLENDED))
        exact.append(wait_for_exact(page))
    field = page.locator("canvas.field")
    box = field.bounding_box()
    assert box is not None
    for turn in range(3):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 150, box["y"] + 100 + 50 * turn, steps=5)
        rates.append(1000 / float(np.median(np.diff(field.evaluate(DRAG)))))
        page.mouse.up()
        wait_for_exact(page)
    page.context.close()
    return {"key_to_blended": spread(blended), "release_to_exact": spread(exact), "pictures_a_second": spread(rates)}


def _drawn(page: Page) -> dict[str, float]:
    """From the end of a stroke until its reconstructions."""
    box = page.get_by_role("img", name="Canvas").bounding_box()
    assert box is not None
    shifts = count(0, 3)  # no stroke covers the one before: each changes the picture

    def stroke() -> float:
        places = [(box["x"] + x + next(shifts), box["y"] + y) for x, y in STROKE]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=5)
        page.evaluate("() => { globalThis.answer = changed('.close-up'); }")
        page.mouse.up()
        waited = page.evaluate("answer.then((time) => time - times.released)")
        settle(page)
        return float(waited)

    found = _repeated(stroke)
    page.context.close()
    return found


def _chosen(watched: str) -> Callable[[Page], dict[str, float]]:
    """Another draw of the number field in the sidebar."""

    def measure(page: Page) -> dict[str, float]:
        found = _repeated(lambda: float(page.evaluate(CLICK, [STEP_UP, watched])))
        page.context.close()
        return found

    return measure


def _switched(page: Page) -> dict[str, dict[str, float]]:
    """Every page's own wait, from the second visit on."""
    waits: dict[str, list[float]] = {name: [] for name in PAGES}
    for visit in range(REPEATS // 3 + 1):
        for name in PAGES:
            wait = page.evaluate(SWITCH, name)
            page.wait_for_timeout(300)
            if visit:
                waits[name].append(wait)
    page.context.close()
    return {name.lower(): spread(found) for name, found in waits.items()}


ACTIONS: dict[str, tuple[str, Callable[[Page], Any]]] = {
    "explore_2d": ("/explore?model=vae_2d", _explored),
    "explore_20d": ("/explore?model=vae", _explored),
    "stroke": ("/?images=Draw", _drawn),
    "reconstruct_another_draw": ("/", _chosen(".sheet")),
    "sample_another_draw": ("/sample", _chosen(".cards")),
    "walk_another_draw": ("/walk", _chosen(".sheet")),
    "page_switch": ("/", _switched),
}


def _ten_sessions(browser: Browser, server: Server) -> dict[str, dict[str, float]]:
    """Ten sessions ask for another draw every second, half of them on Reconstruct and half on Sample.

    One is a browser's, measured in its page. The others are a browser's requests without a browser, and their answers
    measured as they arrive: ten browsers on the server's own cores would measure themselves.
    """
    page = _open(browser, server, "/")
    started = time.perf_counter()
    with ThreadPoolExecutor(SESSIONS) as pool:
        others = [
            pool.submit(_asked, server, *ASKED[index % 2], started + 1 + index / SESSIONS)
            for index in range(SESSIONS - 1)
        ]
        waits = []
        for turn in range(SECONDS):
            _pause_until(started + 2 + turn)
            waits.append(float(page.evaluate(CLICK, [STEP_UP, ".sheet"])))
        answered = [wait for other in others for wait in other.result()]
    page.context.close()
    return {"in_the_page": spread(waits), "at_the_server": spread(answered)}


def _asked(server: Server, page: str, label: str, start: float) -> list[float]:
    """Milliseconds until each answer is complete, of a session that changes a number field every second."""
    waits = []
    url = server.url.replace("http", "ws") + "/_stcore/stream"
    with connect(url, origin=Origin(server.url), max_size=None, legacy=True) as socket:
        field = _ask(socket, page)[label]
        for turn in range(SECONDS):
            _pause_until(start + turn)
            asked = time.perf_counter()
            _ask(socket, page, field, turn)
            waits.append(1000 * (time.perf_counter() - asked))
    return waits


def _ask(socket: ClientConnection, page: str, field: str = "", value: int = 0) -> dict[str, str]:
    """Have the page run, with this value in a field; the identities of its number fields."""
    request, answer, found = BackMsg(), ForwardMsg(), {}
    request.rerun_script.page_name = page
    if field:
        state = request.rerun_script.widget_states.widgets.add()
        state.id, state.int_value = field, value
    socket.send(request.SerializeToString())
    while answer.WhichOneof("type") != "script_finished":
        answer.ParseFromString(socket.recv(decode=False))
        element = answer.delta.new_element
        if element.WhichOneof("type") == "number_input":
            found[element.number_input.label] = element.number_input.id
    return found


def _pause_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.perf_counter()))
