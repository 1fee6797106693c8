"""A small project in git whose comparison over two seeds has run: what DVC's experiments leave behind."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.dvc_command import lay_out
from tests.processes import ENVIRONMENT
from tests.small_params import small_params

ROOT = Path(__file__).parents[1]
PARAMS = small_params(
    models={
        "pca": {"kind": "pca", "latent_dim": 2},
        "vae_article": {"kind": "vae_article", "epochs": 1, "batch_size": 128, "learning_rate": 0.001},
    },
)


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """A command's outcome, whatever it is."""
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def make_repository(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Lay the project out, commit it, compare the seeds 0 and 1; gives what `scripts.seeds` said."""
    if not shutil.which("git"):
        pytest.skip("no git on PATH")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        lay_out(folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".gitignore", ".dvcignore", ".dvc/config"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(json.dumps(PARAMS, indent=2))
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        assert run(folder, "git", *arguments).returncode == 0
    return run(folder, sys.executable, "-m", "scripts.seeds", "0", "1")
