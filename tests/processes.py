"""A piece of code in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def start(script: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a script that runs in the project's folder."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr
