"""Killed at any moment, run again: every output is the same, byte for byte, as of a run that nobody disturbed."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from autoencoder.datasets import make_digits, write_dataset
from scripts.dvc_command import commands, lay_out
from stages.train import SECONDS_BETWEEN_SAVES
from tests.processes import ENVIRONMENT, started
from tests.small_params import VAE_PARAMS, small_params

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PYTHON = Path(sys.executable)
EPOCHS = 60  # some seconds: long enough to be killed in the middle, after a resume point
PARAMS = small_params(
    models={
        "vae": {
            **VAE_PARAMS,
            "network": {"type": "mlp", "hidden": [64]},
            "binarize": "dynamic",
            "epochs": EPOCHS,
            "batch_size": 32,
            "learning_rate": 0.002,
        }
    },
)
TRAIN = ["-m", *commands(ROOT / "dvc.yaml", PARAMS)["train@vae"]]


def prepared(folder: Path) -> Path:
    """The pipeline's files with one small model, and its data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        lay_out(folder)
    write_params(folder)
    write_dataset(folder / "data" / "digits.npz", make_digits())
    return folder


def write_params(folder: Path, **values: Any) -> None:
    """params.yaml anew, with other values for the model."""
    models = {"vae": PARAMS["models"]["vae"] | values}
    (folder / "params.yaml").write_text(json.dumps(PARAMS | {"models": models}))


def outputs(folder: Path) -> dict[str, bytes]:
    """Model, curve and pictures."""
    paths = [path for name in ("models", "plots") for path in (folder / name).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def epochs_done(folder: Path) -> int:
    curve = folder / "plots" / "vae" / "loss.csv"
    return len(curve.read_text().splitlines()) // 2 if curve.exists() else 0


def resume_points(folder: Path) -> list[Path]:
    return list((folder / ".ckpt").glob("vae-*.pt"))


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def run(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def wait_until_well_under_way(folder: Path, epochs: int) -> None:
    """A resume point is there, some epochs came after it, and some are still to come."""
    wait_for(lambda: resume_points(folder))
    reached = epochs_done(folder)
    wait_for(lambda: epochs_done(folder) >= reached + epochs)
    assert epochs_done(folder) < EPOCHS


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed training writes."""
    folder = prepared(tmp_path_factory.mktemp("undisturbed"))
    process = run(PYTHON, *TRAIN, cwd=folder)
    assert process.returncode == 0, process.stderr
    assert "resuming" not in process.stdout
    assert resume_points(folder) == []
    return outputs(folder)


def test_an_undisturbed_run_writes_a_picture_per_epoch(undisturbed):
    pictures = {f"models/vae/epochs/epoch_{epoch:04d}.png" for epoch in range(1, EPOCHS + 1)}
    assert set(undisturbed) == {"models/vae/model.pt", "plots/vae/loss.csv"} | pictures


def finish(folder: Path, clean: bool, undisturbed: dict[str, bytes]) -> None:
    """Run to the end and compare."""
    if clean:  # as DVC does it before it runs a stage
        for name in ("models", "plots"):
            shutil.rmtree(folder / name)
    process = run(PYTHON, *TRAIN, cwd=folder)
    assert (process.returncode, process.stderr) == (0, "")
    assert "vae: resuming after epoch " in process.stdout
    assert outputs(folder) == undisturbed
    assert resume_points(folder) == []


def test_a_trainer_killed_with_9_goes_on(undisturbed, tmp_path):
    folder = prepared(tmp_path)
    with started(PYTHON, *TRAIN, cwd=folder, env=ENVIRONMENT) as process:
        wait_until_well_under_way(folder, 7)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (folder / "models" / "vae" / "model.pt").exists()
    finish(folder, False, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_trainer_that_is_asked_to_stop_says_how_to_go_on(number, undisturbed, tmp_path):
    folder = prepared(tmp_path)
    with started(PYTHON, *TRAIN, cwd=folder, env=ENVIRONMENT) as process:
        wait_until_well_under_way(folder, 2)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (130, "stopped; run the same command again to go on\n")
    assert not (folder / "models" / "vae" / "model.pt").exists()
    assert not list(folder.rglob("*.partial"))
    finish(folder, True, undisturbed)


def test_a_trainer_killed_twice_goes_on_twice(undisturbed, tmp_path):
    folder = prepared(tmp_path)
    for _ in range(2):
        before = {path: path.stat().st_mtime_ns for path in resume_points(folder)}
        with started(PYTHON, *TRAIN, cwd=folder, env=ENVIRONMENT) as process:
            wait_for(lambda: {path: path.stat().st_mtime_ns for path in resume_points(folder)} != before)  # noqa: B023
            process.send_signal(signal.SIGKILL)
    [point] = resume_points(folder)
    until_then = torch.load(point, weights_only=True)["seconds"]
    finish(folder, True, undisturbed)
    taken = json.loads((folder / "timings" / "train_vae.json").read_text())["seconds"]
    assert taken > until_then > 2 * SECONDS_BETWEEN_SAVES  # of all three runs


def test_a_killed_run_of_other_parameters_is_not_gone_on_with(undisturbed, tmp_path):
    folder = prepared(tmp_path)
    with started(PYTHON, *TRAIN, cwd=folder, env=ENVIRONMENT) as process:
        wait_until_well_under_way(folder, 0)
        process.send_signal(signal.SIGKILL)
    write_params(folder, epochs=1)
    other = run(PYTHON, *TRAIN, cwd=folder)
    assert other.returncode == 0, other.stderr
    assert "resuming" not in other.stdout
    assert epochs_done(folder) == 1
    assert len(resume_points(folder)) == 1  # of the killed run: the other has cost it nothing
    write_params(folder)
    finish(folder, True, undisturbed)


def trainers(folder: Path) -> list[int]:
    """The ids of training processes of this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[1:3] == [b"-m", b"stages.train"] and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
def test_dvc_killed_with_9_takes_its_trainer_with_it_and_goes_on(shell, undisturbed, tmp_path, monkeypatch):
    if not Path(shell).exists():
        pytest.skip(f"no {shell} here")
    folder = prepared(tmp_path.resolve())
    shutil.rmtree(folder / "data")
    monkeypatch.setitem(ENVIRONMENT, "SHELL", shell)
    repro = (PYTHON, "-m", "dvc", "repro", "train@vae")
    with started(*repro, cwd=folder, env=ENVIRONMENT) as process:
        wait_until_well_under_way(folder, 3)
        assert len(trainers(folder)) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not trainers(folder))
    assert not (folder / "models" / "vae" / "model.pt").exists()
    assert len(resume_points(folder)) == 1

    again = run(*repro, cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "vae: resuming after epoch " in again.stdout
    assert outputs(folder) == undisturbed
    assert run(*repro, cwd=folder).stdout.endswith("Data and pipelines are up to date.\n")
    status = run(PYTHON, "-m", "dvc", "status", "--json", "train@vae", cwd=folder)
    assert json.loads(status.stdout) == {}
