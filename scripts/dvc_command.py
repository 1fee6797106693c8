"""Running DVC from a script, with or without git, and what dvc.yaml has it run."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from autoencoder.config import Parameters


def dvc(*arguments: str, root: Path = Path(), quiet: bool = False) -> int:
    """Run `dvc` in a folder and return its exit code; its stages find this environment's `python` first.

    Ctrl-C reaches `dvc` as well, which ends its stage and then itself: that is waited for.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "dvc", *arguments]
    output = subprocess.DEVNULL if quiet else None
    with subprocess.Popen(command, cwd=root, env=os.environ | {"PATH": path}, stdout=output) as process:
        while True:
            with suppress(KeyboardInterrupt):
                return process.wait()


def settle_git() -> None:
    """Let DVC work in an unpacked archive: outside a git repository it must be told so, inside one it must not be."""
    local = Path(".dvc/config.local")
    told = local.exists() and "no_scm" in local.read_text()
    if not inside_git() and not told:
        dvc("config", "--local", "core.no_scm", "true", quiet=True)
    elif inside_git() and told:
        dvc("config", "--local", "--unset", "core.no_scm", quiet=True)


def inside_git() -> bool:
    """Whether a git work tree keeps this folder's files; where git refuses to say, the script ends with git's words."""
    if not shutil.which("git"):
        return False
    command = ["git", "rev-parse", "--is-inside-work-tree"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode and Path(".git").exists():  # another user's, most often
        sys.exit(f"error: {process.stderr.strip()}")
    if process.returncode:
        return False
    ignored = subprocess.run(["git", "check-ignore", "--quiet", "dvc.yaml"], check=False).returncode == 0
    return not ignored  # as in a home folder under git that lists what it keeps: DVC would not read what git ignores


def commands(dag: Path, params: Mapping[str, Any]) -> dict[str, list[str]]:
    """What follows `python -m` in the command of every stage, in the order of the DAG.

    Args:
        dag: a dvc.yaml.
        params: the whole of params.yaml.

    Returns:
        Module and arguments, by the names that DVC gives the stages: `train@vae`.
    """
    found = {}
    for stage, about in Parameters.load(dag).tree["stages"].items():
        command = about["cmd"].replace("${data.dataset}", params["data"]["dataset"])
        for model in params["models"] if "matrix" in about else [None]:
            words = shlex.split(command.replace("${item.model}", str(model)))
            found[f"{stage}@{model}" if model else stage] = words[2:]
    return found


def lay_out(folder: Path) -> None:
    """Copy the pipeline (not its data or results) into a folder that is a DVC repository of its own, without git."""
    for name in ("dvc.yaml", "params.yaml", "stages", "autoencoder", ".dvc/plots"):
        source, target = Path(name), folder / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (folder / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"
    )
