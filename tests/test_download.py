"""The download stage: its output, what it prints, and the message that it leaves for `make repro`."""

import gzip
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torchvision

from autoencoder.config import ParameterError
from autoencoder.datasets import CorruptDownload, NoMirrorReachable
from stages.download import UNREACHABLE_PATH, main
from tests.processes import started

ROOT = Path(__file__).parent.parent
OUTPUT = Path("data/out.npz")
NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one's own, whose public mirrors are out of reach."""
    path = tmp_path / "project"
    path.mkdir()
    monkeypatch.chdir(path)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("MNIST_MIRROR", raising=False)
    shutil.copy(ROOT / "dvc.yaml", path)
    write_params("mnist")
    return path


def write_params(dataset: str, mirror: str = NOWHERE) -> None:
    mirrors = {name: [mirror] for name in ("mnist", "fashion_mnist", "kmnist")}
    tree = {"data": {"dataset": dataset, "mirrors": mirrors}, "models": {"pca": {"kind": "pca"}}}
    Path("params.yaml").write_text(json.dumps(tree))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with five training images and two test images, which torchvision now takes for MNIST."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    resources = []
    for split, count in (("train", 5), ("t10k", 2)):
        for part, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            header = struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape)
            content = gzip.compress(header + bytes(range(count)) * (int(np.prod(shape)) // count), mtime=0)
            (folder / f"{split}-{part}-ubyte.gz").write_bytes(content)
            resources.append((f"{split}-{part}-ubyte.gz", hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    return folder


def leave_a_stale_message() -> None:
    UNREACHABLE_PATH.parent.mkdir()
    UNREACHABLE_PATH.write_text("stale")


def test_download_from_the_mirror_in_the_environment(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    leave_a_stale_message()
    main(["--output", str(OUTPUT)])
    with np.load(OUTPUT) as arrays:
        assert arrays["train_labels"].tolist() == [0, 1, 2, 3, 4]
        assert arrays["test_images"].shape == (2, 28, 28)
    *files, counts, wrote = capsys.readouterr().out.splitlines()
    assert [line.partition(": from ")[0] for line in files] == [
        name for name, _ in torchvision.datasets.MNIST.resources
    ]
    assert counts == f"mnist from {mirror.as_uri()}/: 5 train and 2 test images"
    assert wrote == f"wrote {OUTPUT} (0.0 MB)"
    assert not UNREACHABLE_PATH.exists()


def test_environments_mirror_comes_before_the_parameters(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params("mnist", mirror.as_uri())
    monkeypatch.setenv("MNIST_MIRROR", str(tmp_path / "nowhere"))
    main(["--output", str(OUTPUT)])
    assert capsys.readouterr().out.startswith(f"{(tmp_path / 'nowhere').as_uri()}/train-images-idx3-ubyte.gz: No such")
    assert OUTPUT.exists()


def test_digits_need_no_mirror(capsys: pytest.CaptureFixture[str]) -> None:
    write_params("digits")
    main(["--output", str(OUTPUT)])
    assert capsys.readouterr().out.splitlines() == [
        "digits from scikit-learn's digits: 1,433 train and 364 test images",
        f"wrote {OUTPUT} (1.4 MB)",
    ]


def test_unreachable_mirrors_leave_their_message_and_no_data() -> None:
    leave_a_stale_message()
    with pytest.raises(NoMirrorReachable) as caught:
        main(["--output", str(OUTPUT)])
    assert UNREACHABLE_PATH.read_text() == str(caught.value)
    assert not OUTPUT.parent.exists()


def test_a_tampered_file_leaves_no_data_and_is_not_taken_for_an_unreachable_mirror(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_MIRROR", str(mirror))
    (mirror / "t10k-labels-idx1-ubyte.gz").write_bytes(b"tampered")
    leave_a_stale_message()
    with pytest.raises(CorruptDownload):
        main(["--output", str(OUTPUT)])
    assert not UNREACHABLE_PATH.exists()
    assert not OUTPUT.parent.exists()


def test_other_failures_leave_no_message() -> None:
    leave_a_stale_message()
    write_params("mnits")
    with pytest.raises(ParameterError):
        main(["--output", str(OUTPUT)])
    assert not UNREACHABLE_PATH.exists()


def download() -> AbstractContextManager["subprocess.Popen[str]"]:
    command = (sys.executable, "-m", "stages.download", "--output", OUTPUT)
    return started(*command, env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            "mnits",
            "error: params.yaml: data.dataset = 'mnits': expected 'mnist', 'fashion_mnist', 'kmnist' or 'digits'\n",
        ),
        (
            "mnist",
            "error: mnist was not downloaded: no mirror is reachable\n"
            f"  {NOWHERE}train-images-idx3-ubyte.gz: Connection refused\n"
            "Check the network, or set MNIST_MIRROR=<URL or folder with the four .gz files>, "
            "or run `make demo`, which needs no download.\n",
        ),
    ],
)
def test_process_ends_in_one_message(dataset: str, message: str) -> None:
    write_params(dataset)
    with download() as process:
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (1, message)


@contextmanager
def opened_by_a_reader(fifo: Path) -> Iterator[None]:
    """From when another process has opened the FIFO; closed afterwards, which is the end of the file."""
    deadline = time.monotonic() + 60
    while True:
        try:
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:  # nobody reads yet
            assert time.monotonic() < deadline
            time.sleep(0.02)
    yield
    os.close(writer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_process_leaves_nothing_behind(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    fifo = tmp_path / "train-images-idx3-ubyte.gz"
    os.mkfifo(fifo)  # the mirror opens, then stays silent: the stage hangs in the middle of the download
    write_params("mnist", tmp_path.as_uri())
    with download() as process:
        with opened_by_a_reader(fifo):
            process.send_signal(number)
        # at the latest now, at the file's end, does it notice: a signal just before it began to wait is not lost
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "stopped; run the same command again to go on\n")
    assert list(scratch.iterdir()) == []
    assert sorted(path.name for path in project.iterdir()) == ["dvc.yaml", "params.yaml"]
