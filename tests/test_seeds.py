"""The comparison over several seeds: every seed's own figures, and a workspace that stays as it was."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.dvc_command import lay_out
from scripts.seeds import RESULTS
from tests.small_params import small_params

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PARAMS = small_params(
    models={
        "pca": {"kind": "pca", "latent_dim": 2},
        "vae_article": {"kind": "vae_article", "epochs": 1, "batch_size": 128, "learning_rate": 0.001},
    },
    validation_size=240,
    evaluate={"batch_size": 1000, "iwae_samples": 2, "neighbors": 5},
)
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    "DEVICE": "cpu",
    "OMP_NUM_THREADS": "1",
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project in git."""
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        lay_out(folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".gitignore", ".dvcignore", ".dvc/config"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_text(json.dumps(PARAMS, indent=2))
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@localhost")
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        assert run(folder, *git, *arguments).returncode == 0
    return folder


def test_every_seed_has_its_own_figures_and_the_workspace_keeps_its_seed(repository):
    process = run(repository, sys.executable, "-m", "scripts.seeds", "0", "1")
    assert process.returncode == 0, process.stderr
    found = json.loads((repository / RESULTS).read_text())
    assert found["seeds"] == [0, 1]
    assert found["rows"].keys() == {"pca", "vae_article", "real"}
    mine = json.loads((repository / "details" / "vae_article.json").read_text())
    for metric, (here, there) in found["rows"]["vae_article"].items():
        assert here == mine[metric], metric
        if metric == "reconstruction_mse":
            assert there != here
    for fixed in ("pca", "real"):  # neither depends on the seed
        assert all(first == second for first, second in found["rows"][fixed].values())
    assert "±" in process.stdout
    assert json.loads((repository / "params.yaml").read_text()) == PARAMS


def test_outside_git_it_says_what_to_do(tmp_path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("autoencoder", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    process = run(tmp_path, sys.executable, "-m", "scripts.seeds")
    assert process.returncode == 1
    assert process.stderr == "error: experiments need git: git init && git add -A && git commit -m start\n"
