"""What lies in git as results agrees: metrics, details, seeds, report and README."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from autoencoder.comparison import REAL, as_rows
from autoencoder.config import Parameters
from autoencoder.headline import headline
from autoencoder.report import page
from scripts.readme import rewritten
from scripts.seeds import RESULTS

ROOT = Path(__file__).parents[1]
PARAMS = Parameters.load(ROOT / "params.yaml").tree
NAMES = [*PARAMS["models"], REAL]


@pytest.fixture(scope="module")
def details() -> dict[str, dict]:
    return {name: json.loads((ROOT / "details" / f"{name}.json").read_text()) for name in NAMES}


@pytest.fixture
def committed() -> None:
    """Skips where a run of one's own has replaced the results: README and seeds then lag behind until they follow."""
    command = [
        "git",
        "status",
        "--porcelain",
        "--",
        "metrics",
        "details",
        "report",
        "README.md",
        "params.yaml",
        "plots",
    ]
    inside = shutil.which("git") and (ROOT / ".git").exists()
    if not inside or subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout:
        pytest.skip("the results here are not those of the last commit")


@pytest.mark.parametrize("name", NAMES)
def test_the_headline_is_taken_from_the_details(name, details):
    assert json.loads((ROOT / "metrics" / f"{name}.json").read_text()) == headline(details[name])


@pytest.mark.usefixtures("committed")
def test_the_readme_shows_what_was_measured(monkeypatch):
    monkeypatch.chdir(ROOT)
    readme = Path("README.md").read_text()
    assert "<!-- results:" in readme
    assert readme == rewritten(readme), "bring it up to date: python -m scripts.readme"


@pytest.mark.usefixtures("committed")
def test_the_seeds_include_the_last_run(details):
    found = json.loads((ROOT / RESULTS).read_text())
    assert len(found["seeds"]) >= 3
    place = found["seeds"].index(PARAMS["seed"])
    for name, row in found["rows"].items():
        for metric, values in row.items():
            assert len(values) == len(found["seeds"])
            assert values[place] == details[name][metric], f"{name} {metric}: run `make seeds`"


@pytest.mark.usefixtures("committed")
def test_the_report_is_made_of_the_last_run(details):
    assert (ROOT / "report" / "README.md").read_text() == page(as_rows(details), PARAMS["models"], "../plots")
