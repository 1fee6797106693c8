"""Downloads against real files, folders and a local HTTP server; every data set's form; no network."""

import gzip
import hashlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import torchvision

from autoencoder import datasets
from autoencoder.config import ParameterError, Parameters
from autoencoder.datasets import (
    CorruptDownload,
    Dataset,
    DownloadParams,
    NoMirrorReachable,
    fetch_dataset,
    make_digits,
    write_dataset,
)
from autoencoder.errors import ForeseenError

FILES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = FILES
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        IMAGES: rng.integers(0, 256, (7, 28, 28), dtype=np.uint8),
        LABELS: rng.integers(0, 10, 7, dtype=np.uint8),
        TEST_IMAGES: rng.integers(0, 256, (3, 28, 28), dtype=np.uint8),
        TEST_LABELS: rng.integers(0, 10, 3, dtype=np.uint8),
    }


@pytest.fixture
def files(arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A tiny data set's four files, which torchvision's MNIST now takes for its own."""
    content = {name: idx(array) for name, array in arrays.items()}
    checksums = [(name, hashlib.md5(body).hexdigest()) for name, body in content.items()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", checksums)
    return content


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    mirror = tmp_path / "a mirror #1"  # characters that a URL has to quote
    mirror.mkdir()
    for name, body in files.items():
        (mirror / name).write_bytes(body)
    return mirror


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's temporary folder: empty again after every test here, whatever failed in it."""
    path = tmp_path / "scratch"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    monkeypatch.setattr(datasets, "BACKOFF_SECONDS", 0)
    monkeypatch.setenv("no_proxy", "*")
    yield path
    assert list(path.iterdir()) == []


class Server:
    """An HTTP mirror that serves `files`, but answers a file's first requests as `script` says."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.script: dict[str, list[Answer]] = {}
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                name = self.path.removeprefix("/folder/")
                outer.requests.append(name)
                answers = outer.script.get(name, [])
                (answers.pop(0) if answers else whole)(self, files[name])

            def log_message(self, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/folder/"


@pytest.fixture
def server(files: dict[str, bytes]) -> Iterator[Server]:
    mirror = Server(files)
    thread = threading.Thread(target=mirror.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.http.shutdown()
    mirror.http.server_close()
    thread.join()


@pytest.fixture
def dead_url() -> str:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def whole(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def truncated(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def truncated_without_length(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def tampered(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(handler, body[:-1] + bytes([body[-1] ^ 1]))


def login_page(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    whole(handler, b"<html>please log in</html>")


def hangs_up(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
    handler.close_connection = True


def status(code: int) -> Answer:
    return lambda handler, _body: handler.send_error(code)


def download_params(*mirrors: str, dataset: str = "mnist") -> DownloadParams:
    urls = list(mirrors) or ["http://127.0.0.1:1/"]
    return DownloadParams.model_validate(
        {
            "dataset": dataset,
            "mirrors": {"mnist": urls, "fashion_mnist": urls, "kmnist": urls},
            "validation_size": 5,
        }
    )


def fetch(*mirrors: str, first: str | None = None) -> tuple[Dataset, list[str]]:
    lines: list[str] = []
    return fetch_dataset(download_params(*mirrors), first, lines.append), lines


def ignore(_line: str) -> None:
    pass


def assert_holds(dataset: Dataset, arrays: dict[str, np.ndarray]) -> None:
    found = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for array, expected in zip(found, arrays.values(), strict=True):
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, expected)


# --- where a mirror may be ---


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("form", ["absolute", "relative", "url", "home"])
def test_mirror_may_be_a_folder_or_its_url(
    folder: Path, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, form: str, slash: str
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    mirror = {"absolute": str(folder), "relative": folder.name, "url": folder.as_uri(), "home": f"~/{folder.name}"}[
        form
    ]
    dataset, lines = fetch("http://127.0.0.1:1/", first=mirror + slash)
    assert_holds(dataset, arrays)
    assert dataset.source == f"{folder.as_uri()}/"
    assert lines == [f"{name}: from {folder.as_uri()}/" for name in FILES]


@pytest.mark.parametrize("strip", [False, True])
def test_http_mirror_serves_each_file_once(server: Server, arrays: dict[str, np.ndarray], strip: bool) -> None:
    dataset, _ = fetch(server.url.rstrip("/") if strip else server.url)
    assert_holds(dataset, arrays)
    assert server.requests == FILES


@pytest.mark.parametrize(("name", "kind"), [("fashion_mnist", "FashionMNIST"), ("kmnist", "KMNIST")])
def test_other_data_sets_use_their_own_checksums(
    folder: Path, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    params = download_params(folder.as_uri(), dataset=name)
    with pytest.raises(CorruptDownload, match="wrong checksum"):  # the files are the tiny MNIST's
        fetch_dataset(params, None, ignore)
    monkeypatch.setattr(getattr(torchvision.datasets, kind), "resources", torchvision.datasets.MNIST.resources)
    assert_holds(fetch_dataset(params, None, ignore), arrays)


def test_empty_mirror_counts_as_none(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    assert_holds(fetch(folder.as_uri(), first="")[0], arrays)


def test_a_mirror_in_the_home_of_nobody_is_named() -> None:
    with pytest.raises(ForeseenError, match=r"^MNIST_MIRROR = '~nobody-at-all/mnist': Could not determine home"):
        fetch(first="~nobody-at-all/mnist")


@pytest.mark.parametrize("mirror", ["ftp://host/", "http://", "http://[::1"])
def test_mirror_of_an_unknown_kind_is_named(mirror: str) -> None:
    message = re.escape(f"MNIST_MIRROR = '{mirror}': expected a folder, or a URL that starts with")
    with pytest.raises(ForeseenError, match=message):
        fetch(first=mirror)


# --- what may go wrong, and be survived ---


def test_dead_mirror_is_asked_once_and_the_next_one_serves(
    server: Server, dead_url: str, arrays: dict[str, np.ndarray]
) -> None:
    dataset, lines = fetch(dead_url, server.url)
    assert_holds(dataset, arrays)
    assert dataset.source == server.url
    assert lines[0] == f"{dead_url}{IMAGES}: Connection refused"
    assert len([line for line in lines if dead_url in line]) == 1


@pytest.mark.parametrize(
    "answer", [status(503), status(429), hangs_up, truncated], ids=["503", "429", "hangs_up", "truncated"]
)
def test_transient_failures_are_retried(server: Server, arrays: dict[str, np.ndarray], answer: Answer) -> None:
    server.script = {LABELS: [answer, answer]}
    dataset, lines = fetch(server.url)
    assert_holds(dataset, arrays)
    assert server.requests.count(LABELS) == 3
    assert len(lines) == 4


@pytest.mark.parametrize(
    "answer",
    [tampered, login_page, truncated_without_length, status(404)],
    ids=["tampered", "login_page", "no_length", "404"],
)
def test_definite_failures_are_not_retried_but_go_to_the_next_mirror(
    server: Server, folder: Path, arrays: dict[str, np.ndarray], answer: Answer
) -> None:
    server.script = {LABELS: [answer]}
    dataset, _ = fetch(server.url, folder.as_uri())
    assert_holds(dataset, arrays)
    assert server.requests.count(LABELS) == 1
    assert dataset.source == f"{server.url}, {folder.as_uri()}/"


# --- what ends the download ---


def test_no_mirror_reachable_lists_each_mirror_with_its_reason(server: Server, dead_url: str, tmp_path: Path) -> None:
    server.script = {IMAGES: [status(404)]}
    with pytest.raises(NoMirrorReachable) as caught:
        fetch(dead_url, server.url, first=str(tmp_path / "nowhere"))
    head, *mirrors, cure = str(caught.value).splitlines()
    assert head == "mnist was not downloaded: no mirror is reachable"
    assert mirrors == [
        f"  {(tmp_path / 'nowhere').as_uri()}/{IMAGES}: No such file or directory",
        f"  {dead_url}{IMAGES}: Connection refused",
        f"  {server.url}{IMAGES}: HTTP 404 Not Found",
    ]
    assert "MNIST_MIRROR=<URL or folder with the four .gz files>" in cure
    assert "make demo" in cure


@pytest.mark.parametrize("code", [500, 503])
def test_server_errors_end_as_unreachable(server: Server, code: int) -> None:
    server.script = {IMAGES: [status(code)] * 3}
    with pytest.raises(NoMirrorReachable, match=f"HTTP {code} "):
        fetch(server.url)
    assert server.requests == [IMAGES] * 3


def test_silence_ends_as_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "TIMEOUT_SECONDS", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,  # connects, never says a word
        pytest.raises(NoMirrorReachable, match=r"no answer within 0\.05 s"),
    ):
        fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:port/", "nonnumeric port"),
        ("http://127.0.0.1:1/d\N{LATIN SMALL LETTER A WITH DIAERESIS}ta/", "can't encode"),
        ("http://a..invalid/", "label"),
    ],
)
def test_unreadable_url_ends_as_unreachable(url: str, why: str) -> None:
    with pytest.raises(NoMirrorReachable, match=why):
        fetch(url)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (tampered, "wrong checksum: md5 .*, expected "),
        (login_page, "wrong checksum"),
        (truncated, "the connection ended before the file did"),
        (truncated_without_length, "wrong checksum"),
    ],
)
def test_corrupt_download_lists_each_mirror_with_its_reason(
    server: Server, dead_url: str, answer: Answer, reason: str
) -> None:
    server.script = {IMAGES: [answer] * 3}
    with pytest.raises(CorruptDownload, match=reason) as caught:
        fetch(dead_url, server.url)
    head, *mirrors, cure = str(caught.value).splitlines()
    assert head == "mnist was not downloaded: no mirror served every file whole, with the right checksum"
    assert [line.split(": ")[0] for line in mirrors] == [f"  {dead_url}{IMAGES}", f"  {server.url}{IMAGES}"]
    assert "MNIST_MIRROR, where it is set," in cure
    assert "MNIST_MIRROR=" in cure
    assert "make demo" not in cure  # a damaged file is to be looked at, not to be worked around


def test_damage_that_another_mirror_mended_is_not_the_reason(server: Server, folder: Path) -> None:
    server.script = {IMAGES: [tampered], LABELS: [status(404)]}
    (folder / LABELS).unlink()
    with pytest.raises(NoMirrorReachable):
        fetch(server.url, folder.as_uri())


def test_damaged_file_does_not_keep_a_mirror_from_serving_the_others(server: Server, folder: Path) -> None:
    server.script = {IMAGES: [tampered]}
    for name in (LABELS, TEST_IMAGES, TEST_LABELS):
        (folder / name).unlink()
    assert fetch(server.url, folder.as_uri())[0].source == f"{server.url}, {folder.as_uri()}/"


def test_checksum_is_of_this_files_bytes(folder: Path) -> None:
    (folder / IMAGES).write_bytes((folder / TEST_IMAGES).read_bytes())
    with pytest.raises(CorruptDownload):
        fetch(folder.as_uri())


def test_interruption_leaves_nothing_behind(folder: Path, scratch: Path) -> None:
    seen: list[Path] = []

    def interrupt(_line: str) -> None:
        seen.extend(scratch.rglob("*.gz"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_dataset(download_params(folder.as_uri()), None, interrupt)
    assert [path.name for path in seen] == [IMAGES]
    assert list(scratch.iterdir()) == []


def test_full_disk_is_not_taken_for_a_mirrors_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        OSError, match=r"No space left on device: '.*/train-images-idx3-ubyte\.gz'"
    ):  # a mirror's fault would be no OSError
        fetch(folder.as_uri())


# --- the .npz ---


def test_written_file_holds_the_four_arrays_uncompressed(tmp_path: Path) -> None:
    dataset = make_digits()
    path = tmp_path / "data" / "digits.npz"
    write_dataset(path, dataset)
    with np.load(path) as arrays:
        assert sorted(arrays) == ["test_images", "test_labels", "train_images", "train_labels"]
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, getattr(dataset, name))
            assert array.dtype == np.uint8
    with zipfile.ZipFile(path) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_dataset(tmp_path / name, make_digits())
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


# --- digits ---


def test_digits_are_all_there_split_alike_over_the_classes() -> None:
    digits = make_digits()
    assert digits.train_images.shape == (1433, 28, 28)
    assert digits.test_images.shape == (364, 28, 28)
    train, test = np.bincount(digits.train_labels), np.bincount(digits.test_labels)
    assert (train + test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_allclose(test / (train + test), 0.2, atol=0.005)


def test_digits_splits_share_no_drawing_that_scikit_learn_has_once() -> None:
    from sklearn.datasets import load_digits

    drawings, counts = np.unique(load_digits().images, axis=0, return_counts=True)
    assert (counts == 1).all()
    digits = make_digits()
    both = np.concatenate([digits.train_images, digits.test_images])
    assert len(np.unique(both, axis=0)) == len(drawings) == 1797


def test_digits_look_like_mnist() -> None:
    digits = make_digits()
    images = np.concatenate([digits.train_images, digits.test_images])
    assert (images.min(), images.max()) == (0, 255)
    border = np.ones((28, 28), dtype=bool)
    border[4:24, 4:24] = False
    assert not images[:, border].any()
    inked = images.max(axis=0)[4:24, 4:24]  # the box of 20x20 is used from edge to edge
    assert inked.any(axis=0).all()
    assert inked.any(axis=1).all()
    assert 30 < images.mean() < 45  # MNIST: 33


def test_digits_keep_their_labels() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    digits = make_digits()
    nearest = KNeighborsClassifier(5).fit(digits.train_images.reshape(-1, 784), digits.train_labels)
    assert nearest.score(digits.test_images.reshape(-1, 784), digits.test_labels) > 0.97


def test_digits_need_neither_torch_nor_a_socket() -> None:
    program = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("network")
socket.socket.connect = refuse
from autoencoder.datasets import make_digits
make_digits()
assert not {"torch", "torchvision"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_digits_ignore_mirrors() -> None:
    digits = fetch_dataset(download_params(dataset="digits"), "ftp://nowhere", pytest.fail)
    assert digits.source == "scikit-learn's digits"


# --- parameters ---

MIRRORS = {"mnist": ["http://a/"], "fashion_mnist": ["https://b"], "kmnist": ["file:///c/"]}


def test_params_leave_the_splits_keys_alone() -> None:
    tree = {"data": {"dataset": "kmnist", "validation_size": 10, "mirrors": MIRRORS}}
    params = Parameters(tree, Path("params.yaml")).read("data", DownloadParams.model_validate)
    assert params.dataset == "kmnist"
    assert params.mirrors.kmnist == ["file:///c/"]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"dataset": "mnits", "mirrors": MIRRORS},
            "data.dataset = 'mnits': expected 'mnist', 'fashion_mnist', 'kmnist' or 'digits'",
        ),
        ({"mirrors": MIRRORS}, "data.dataset is missing"),
        ({"dataset": "digits"}, "data.mirrors is missing"),
        (
            {"dataset": "mnist", "mirrors": {**MIRRORS, "mnist": []}},
            "data.mirrors.mnist = []: expected at least 1 of them",
        ),
        (
            {"dataset": "mnist", "mirrors": {**MIRRORS, "mnist": ["http://a/", "ftp://b/"]}},
            "data.mirrors.mnist.1 = 'ftp://b/': expected a URL that starts with http://, https:// or file://",
        ),
        (
            {"dataset": "mnist", "mirrors": {**MIRRORS, "kmnist": "http://a/"}},
            "data.mirrors.kmnist = 'http://a/': expected a valid list",
        ),
        (
            {"dataset": "mnist", "mirrors": {**MIRRORS, "emnist": ["http://a/"]}},
            "data.mirrors.emnist is not a known parameter (value: ['http://a/']); expected mnist, fashion_mnist, kmnist",
        ),
    ],
)
def test_params_that_cannot_be_used_are_named_in_one_line(section: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Parameters({"data": section}, Path("params.yaml")).read("data", DownloadParams.model_validate)
    assert str(caught.value) == f"params.yaml: {message}"


def test_repository_params_are_valid() -> None:
    params = Parameters.load(Path(__file__).parent.parent / "params.yaml").read("data", DownloadParams.model_validate)
    assert [url.rstrip("/") for url in params.mirrors.mnist] == [
        url.rstrip("/") for url in torchvision.datasets.MNIST.mirrors
    ]
