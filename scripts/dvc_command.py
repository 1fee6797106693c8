"""Running DVC from a script: with the interpreter of this environment, and without git where there is none."""

import os
import subprocess
import sys
from pathlib import Path


def dvc(*arguments: str, root: Path = Path(), quiet: bool = False) -> int:
    """Run `dvc` in a folder and return its exit code; its stages find this environment's `python` first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "dvc", *arguments]
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=root, env=os.environ | {"PATH": path}, stdout=output, check=False).returncode


def settle_git() -> None:
    """Let DVC work in an unpacked archive: outside a git repository it must be told so, inside one it must not be."""
    inside = subprocess.run(["git", "rev-parse", "--is-inside-work-tree"], capture_output=True, check=False).returncode
    local = Path(".dvc/config.local")
    told = local.exists() and "no_scm" in local.read_text()
    if inside != 0 and not told:
        dvc("config", "--local", "core.no_scm", "true", quiet=True)
    elif inside == 0 and told:
        dvc("config", "--local", "--unset", "core.no_scm", quiet=True)
