"""DVC in a clone, in an unpacked archive, and where one becomes the other."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from scripts.dvc_command import inside_git, settle_git
from tests.processes import ROOT, started

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="no git on PATH")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An unpacked archive in which DVC has its settings."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(folder) -> bool:
    """Whether DVC takes the folder for one without git."""
    command = [sys.executable, "-m", "dvc", "config", "core.no_scm"]
    return "true" in subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_an_archive_that_becomes_a_repository_is_one_for_dvc_too(folder):
    settle_git()
    assert told(folder)
    subprocess.run(["git", "init", "--quiet"], check=True)
    settle_git()
    assert not told(folder)


@pytest.mark.usefixtures("folder")
def test_a_repository_that_git_refuses_is_not_taken_for_none(monkeypatch):
    assert not inside_git()
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert inside_git()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SystemExit, match="dubious ownership"):
        inside_git()


@pytest.mark.usefixtures("folder")
def test_files_that_an_outer_repository_ignores_are_in_none(tmp_path):
    subprocess.run(["git", "init", "--quiet"], check=True)
    (tmp_path / ".gitignore").write_text("dvc.y*\n")
    assert not inside_git()
    (tmp_path / ".gitignore").write_text("*.yaml\n!dvc.yaml\n")
    assert inside_git()


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups there")
def test_ctrl_c_is_left_to_dvc_which_ends_its_stage(folder):
    settle_git()
    (folder / "dvc.yaml").write_text('stages: {nap: {cmd: "touch asleep; exec sleep 60"}}')
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.dvc_command import dvc; sys.exit(dvc('repro'))"
    )
    with started(sys.executable, "-c", script, start_new_session=True) as run:
        deadline = time.monotonic() + 60
        while not (folder / "asleep").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: the script, dvc and the stage
        _, error = run.communicate(timeout=30)
    assert run.returncode == 255
    assert "failed to reproduce 'nap'" in error
    assert "Traceback" not in error
