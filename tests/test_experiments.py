"""What the viewer asks git and DVC: which experiments there are, and what it says where neither answers."""

import os
import subprocess
from unittest import mock

import pytest


def test_without_git_or_dvc_there_is_one_message(tmp_path, experiments, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(experiments.ExperimentError, match=r"no commit to compare with \(fatal: not a git repository"):
        experiments.revisions(tmp_path)
    with pytest.raises(experiments.ExperimentError, match="Only supported for Git repositories"):
        experiments.parameters(tmp_path, "HEAD")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(experiments.ExperimentError, match="git"):
        experiments.revisions(tmp_path)
    assert experiments.state(tmp_path) == ""


def test_experiments_are_those_of_the_last_commit_the_newest_first(tmp_path, experiments):
    """Also while a `dvc repro` holds its lock: `tmp_path` is no DVC repository at all."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    def commit(date: int, message: str) -> str:
        tree = git("write-tree").strip()
        with mock.patch.dict(os.environ, GIT_COMMITTER_DATE=f"{date} +0000"):
            return git("commit-tree", tree, "-m", message).strip()

    git("init", "--quiet")
    with pytest.raises(experiments.ExperimentError):
        experiments.revisions(tmp_path)
    git("commit", "--quiet", "--allow-empty", "-m", "start")
    head = git("rev-parse", "HEAD").strip()
    for name, date in (("older", 1_700_000_000), ("newer", 1_800_000_000)):
        git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", commit(date, name))
    git("update-ref", f"refs/exps/00/{'0' * 38}/of-another-commit", head)
    assert experiments.revisions(tmp_path) == ["HEAD", "newer", "older"]


def test_a_command_that_hangs_is_given_up(tmp_path, experiments, monkeypatch):
    monkeypatch.setattr(experiments, "SECONDS", 0.001)
    with pytest.raises(experiments.ExperimentError, match=r"^`dvc params` has not answered within 0\.001 s$"):
        experiments.parameters(tmp_path, "HEAD")
