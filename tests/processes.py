"""Processes of their own: with what environment a test starts one, and a piece of code in it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Commits have an author, and nobody's own settings ask for more.
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{role}_NAME": "test" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "test@localhost" for role in ("AUTHOR", "COMMITTER")},
}
# This environment's `python` first, on the CPU, and nothing of the test's own settings.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "DVC_STAGE"}},
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    "DEVICE": "cpu",
    "OMP_NUM_THREADS": "1",  # threads that wait for each other on a busy machine take many times as long
    **GIT,
}


def start(script: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a script that runs in the project's folder."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def started(*command: str | Path, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """A process, its output in pipes unless told, that is gone afterwards, whatever happens."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()
