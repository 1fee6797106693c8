"""What DVC knows: what differs from the last commit or an experiment, and the exports of either.

The only module that calls DVC or git, always in a process of its own: importing it would take seconds and much memory.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 60  # before a command is given up
LAST_COMMIT = "HEAD"


class ExperimentError(RuntimeError):
    """DVC or git cannot answer; the message is the last line of what it said."""


@dataclass(frozen=True)
class Difference:
    """One parameter or figure that differs; None where one side lacks it."""

    path: str
    key: str
    there: Any
    here: Any


def state(root: Path) -> str:
    """What is different after any commit or experiment, in milliseconds; nothing where there is no git."""
    try:
        return _git(root, "show-ref", "--head")
    except ExperimentError:
        return ""


def revisions(root: Path) -> list[str]:
    """The last commit and the experiments made from it, newest first.

    Read from git, where DVC keeps them as refs/exps/<two digits>/<the rest of the commit>/<name>: `dvc exp list` waits
    for the lock of a `dvc repro` that is under way.

    Raises:
        ExperimentError: there is no git repository, or no commit in it.
    """
    try:
        commit = _git(root, "rev-parse", "--verify", "HEAD").strip()
    except ExperimentError as error:
        raise ExperimentError(f"there is no commit to compare with ({error})") from None
    place = f"refs/exps/{commit[:2]}/{commit[2:]}/"
    names = _git(root, "for-each-ref", "--sort=-creatordate", "--format=%(refname)", place).split()
    return [LAST_COMMIT, *(name.removeprefix(place) for name in names)]


def parameters(root: Path, revision: str) -> list[Difference]:
    """The parameters in which the workspace differs from a revision.

    Raises:
        ExperimentError: see `revisions`.
    """
    return _differences(_dvc(root, "params", "diff", revision, "--json"))


def figures(root: Path, revision: str) -> list[Difference]:
    """The headline figures in which the workspace differs from a revision.

    Raises:
        ExperimentError: see `revisions`.
    """
    return _differences(_dvc(root, "metrics", "diff", revision, "--json"))


@contextmanager
def export(root: Path, revision: str, model: str) -> Iterator[Path]:
    """A folder, for as long as it is wanted, with a model's exported files as a revision had them, from DVC's cache.

    Raises:
        ExperimentError: they are not in the cache, or see `revisions`.
    """
    with tempfile.TemporaryDirectory(prefix="autoencoder-") as folder:
        files = Path(folder) / "onnx"
        _dvc(root, "get", ".", f"models/{model}/onnx", "--rev", revision, "--out", str(files))
        yield files


def _differences(answer: str) -> list[Difference]:
    found = [
        Difference(path, key, change.get("old"), change.get("new"))
        for path, changes in json.loads(answer or "{}").items()
        for key, change in changes.items()
    ]
    return sorted(found, key=lambda difference: (difference.path, difference.key))


def _dvc(root: Path, *arguments: str) -> str:
    return _answer(root, [sys.executable, "-m", "dvc"], arguments)


def _git(root: Path, *arguments: str) -> str:
    return _answer(root, ["git"], arguments)


def _answer(root: Path, program: Sequence[str], arguments: Sequence[str]) -> str:
    command = [*program, *arguments]
    try:
        process = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ExperimentError(f"`{program[-1]} {arguments[0]}` has not answered within {SECONDS} s") from None
    except OSError as error:
        raise ExperimentError(str(error)) from None
    if process.returncode:
        lines = process.stderr.strip().splitlines() or ["no message"]
        raise ExperimentError(next((line for line in lines if line.startswith("ERROR")), lines[-1]))
    return process.stdout
