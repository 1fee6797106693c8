"""The comparison over several seeds: which results may be compared, and where an experiment is read."""

import shutil
import sys

from scripts.seeds import apart_from_seed, of_experiment
from tests.repository import PARAMS, ROOT, run


def test_seed_and_mirrors_are_all_that_may_differ_between_results_to_compare():
    assert apart_from_seed({**PARAMS, "seed": 7}) == apart_from_seed(PARAMS)
    elsewhere = {**PARAMS, "data": {**PARAMS["data"], "mirrors": {"digits": ["http://localhost:1/"]}}}
    assert apart_from_seed(elsewhere) == apart_from_seed(PARAMS)
    changed = {**PARAMS, "data": {**PARAMS["data"], "validation_size": 1}}
    assert apart_from_seed(changed) != apart_from_seed(PARAMS)


def test_an_experiment_is_read_where_the_project_is_a_folder_of_a_larger_repository(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.json").write_text("{}")
    for arguments in (
        ("init", "-q"),
        ("add", "-A"),
        ("commit", "-qm", "start"),
        ("update-ref", "refs/exps/1/tried", "HEAD"),
    ):
        assert run(tmp_path, "git", *arguments).returncode == 0
    monkeypatch.chdir(project)
    assert of_experiment("tried")("a.json") == "{}"


def test_outside_git_it_says_what_to_do(tmp_path):
    for name in ("scripts", "autoencoder", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    process = run(tmp_path, sys.executable, "-m", "scripts.seeds")
    assert process.returncode == 1
    assert process.stderr == "error: experiments need git: git init && git add -A && git commit -m start\n"
