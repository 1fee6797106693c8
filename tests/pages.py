"""What the tests of the viewer's pages share: opening one without a browser, and reading what it shows."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[1] / "app"


def open_page(
    monkeypatch: pytest.MonkeyPatch, root: Path, page: str = "", device: str = "cpu", **query: str | list[str]
) -> AppTest:
    """The viewer over a folder, on a page (`walk.py`) or its first, with what the link says as keywords."""
    monkeypatch.setenv("AUTOENCODER_ROOT", str(root))
    monkeypatch.setenv("DEVICE", device)
    monkeypatch.syspath_prepend(APP)
    app = AppTest.from_file(APP / "main.py", default_timeout=20)
    for name, value in query.items():
        app.query_params[name] = value
    return (app.switch_page(str(APP / page)) if page else app).run()


def show(app: AppTest, page: str) -> AppTest:
    """Another page of the same viewer."""
    return app.switch_page(str(APP / page)).run()


def page_html(app: AppTest) -> str:
    """All HTML of the page, which must not have failed."""
    assert not app.exception, [error.message for error in app.exception]
    return "".join(element.proto.body for element in app.get("html"))


def messages(app: AppTest) -> str:
    """Errors, warnings and notes of the page, which must not have failed."""
    assert not app.exception, [error.message for error in app.exception]
    return "\n".join(element.value for element in [*app.error, *app.warning, *app.info])
