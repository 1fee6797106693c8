"""Data sets as uint8 arrays: downloaded with torchvision's checksums, or scikit-learn's digits, kept as one .npz.

torch and torchvision are imported only when something is downloaded: checking parameters and making `digits` stay quick.
"""

import io
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Annotated, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from urllib.response import addinfourl

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from pydantic import AfterValidator, Field
from tqdm import tqdm

from autoencoder.config import Section
from autoencoder.errors import ForeseenError
from autoencoder.files import write_atomically

ATTEMPTS = 3
BACKOFF_SECONDS = 0.5  # doubles from one attempt to the next
TIMEOUT_SECONDS = 20  # of silence: to connect, and between two chunks
CHUNK_BYTES = 1 << 16
DIGIT_SIZE, MARGIN = 20, 4  # MNIST's digits fill a box of 20x20 in the middle of the 28x28 image
DIGITS_TEST_EVERY = 5
MIRROR_HINT = "set MNIST_MIRROR=<URL or folder with the four .gz files>"


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme == "file" or (parts.scheme in {"http", "https"} and parts.hostname)
    except ValueError:  # of brackets that hold no address
        fits = False
    if not fits:
        raise ValueError("a URL that starts with http://, https:// or file://")
    return url


MirrorUrls = Annotated[list[Annotated[str, AfterValidator(_check_url)]], Field(min_length=1)]


class Mirrors(Section):
    """Folders on the web with a data set's four .gz files, in the order in which they are tried."""

    mnist: MirrorUrls
    fashion_mnist: MirrorUrls
    kmnist: MirrorUrls


class DownloadParams(Section, extra="ignore"):
    """What `download` reads of section `data`; the split's keys there belong to later stages."""

    dataset: Literal["mnist", "fashion_mnist", "kmnist", "digits"]
    mirrors: Mirrors


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one data set; `source` says in words where they came from and is not written."""

    train_images: UInt8[np.ndarray, "train 28 28"]
    train_labels: UInt8[np.ndarray, " train"]
    test_images: UInt8[np.ndarray, "test 28 28"]
    test_labels: UInt8[np.ndarray, " test"]
    source: str


class NoMirrorReachable(ForeseenError):
    """No mirror answered with the missing files: refused, timed out, unknown host, HTTP error, no such folder."""


class CorruptDownload(ForeseenError):
    """A mirror answered, but with a damaged or incomplete file, and no other one served it whole."""


class _MirrorError(Exception):
    """One mirror did not serve one file."""


class _DamagedFileError(_MirrorError):
    """The mirror did answer, but the file is not whole or has the wrong bytes."""


def fetch_dataset(params: DownloadParams, mirror: str | None, announce: Callable[[str], None]) -> Dataset:
    """The data set that `params` names; nothing stays on disk, whether this succeeds, fails or is interrupted.

    `mirror`, a URL or a folder, is tried before the public ones. `announce` gets one line per file and per failure;
    where stderr is a terminal it also shows a progress bar.

    Raises:
        NoMirrorReachable: no mirror answered; the message lists each with its reason and says what to do.
        CorruptDownload: some mirror answered, none of them with the right bytes; the message does the same.
        ForeseenError: `mirror` is a URL of another kind than http, https or file.
    """
    if params.dataset == "digits":
        return make_digits()
    from torchvision import datasets
    from torchvision.datasets.mnist import read_image_file, read_label_file
    from torchvision.datasets.utils import extract_archive

    mirrors = [_mirror_url(mirror)] if mirror else []
    mirrors += [url.rstrip("/") + "/" for url in getattr(params.mirrors, params.dataset)]
    classes = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST, "kmnist": datasets.KMNIST}
    checksums = dict(classes[params.dataset].resources)
    with tempfile.TemporaryDirectory(prefix="autoencoder-download-") as folder:
        used = _download(params.dataset, checksums, mirrors, Path(folder), announce)
        paths = [extract_archive(Path(folder, file)) for file in checksums]
        train_images, test_images = (read_image_file(path).numpy() for path in paths[::2])
        train_labels, test_labels = (read_label_file(path).numpy().astype(np.uint8) for path in paths[1::2])
    return Dataset(train_images, train_labels, test_images, test_labels, ", ".join(used))


def write_dataset(path: Path, dataset: Dataset) -> None:
    """Write an uncompressed .npz, whole or not at all; the same arrays give the same bytes."""
    arrays = {name: value for name, value in vars(dataset).items() if name != "source"}
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_atomically(path, content.getvalue())


def make_digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits (8x8, 0..16) in MNIST's form; no network, no randomness.

    Test is every fifth image of each digit, in the file's order: a fixed, stratified split.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.stack([_enlarge(image) for image in digits.images])
    labels = digits.target.astype(np.uint8)
    is_test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        is_test[np.flatnonzero(labels == label)[::DIGITS_TEST_EVERY]] = True
    return Dataset(images[~is_test], labels[~is_test], images[is_test], labels[is_test], "scikit-learn's digits")


def _enlarge(image: np.ndarray) -> UInt8[np.ndarray, "28 28"]:
    """One 8x8 image of 0..16 as MNIST has its digits: light on black, 0..255, in the middle."""
    small = Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8))
    # on 8-bit images Pillow's resize is integer arithmetic: the same bytes everywhere, clipped to 0..255
    return np.pad(np.asarray(small.resize((DIGIT_SIZE, DIGIT_SIZE), Image.Resampling.BICUBIC)), MARGIN)


def _mirror_url(mirror: str) -> str:
    """A URL or a folder's path as the URL that file names are appended to."""
    if not mirror.startswith("file:") and "://" not in mirror:
        try:
            mirror = Path(mirror).expanduser().absolute().as_uri()
        except RuntimeError as error:
            raise ForeseenError(f"MNIST_MIRROR = {mirror!r}: {error}") from None
    try:
        return _check_url(mirror).rstrip("/") + "/"
    except ValueError as error:
        raise ForeseenError(f"MNIST_MIRROR = {mirror!r}: expected a folder, or {error}") from None


def _download(
    name: str, checksums: Mapping[str, str], mirrors: Iterable[str], folder: Path, announce: Callable[[str], None]
) -> list[str]:
    """Put every file into the folder, each from the first mirror that has it intact; returns the mirrors used."""
    missing = dict(checksums)
    used: dict[str, None] = {}
    failures, damaged = [], set()
    for mirror in mirrors:
        for file, md5 in list(missing.items()):
            try:
                _fetch(mirror + file, folder / file, md5)
            except _MirrorError as error:
                announce(f"{mirror}{file}: {error}")
                failures.append(f"  {mirror}{file}: {error}")
                if not isinstance(error, _DamagedFileError):
                    break  # dead for one file, dead for all: its timeouts are waited for once
                damaged.add(file)
            else:
                announce(f"{file}: from {mirror}")
                used[mirror] = None
                del missing[file]
    if not missing:
        return list(used)
    if damaged & missing.keys():
        head = f"{name} was not downloaded: no mirror served every file whole, with the right checksum"
        cure = (
            "Something on the way (a proxy, a login page) may replace files, or MNIST_MIRROR, where it is set, have those of "
            f"another data set. Try again later, or {MIRROR_HINT}."
        )
        raise CorruptDownload("\n".join([head, *failures, cure]))
    head = f"{name} was not downloaded: no mirror is reachable"
    cure = f"Check the network, or {MIRROR_HINT}, or run `make demo`, which needs no download."
    raise NoMirrorReachable("\n".join([head, *failures, cure]))


def _fetch(url: str, path: Path, md5: str) -> None:
    """Ask up to `ATTEMPTS` times; the file exists afterwards only if its checksum is right."""
    from torchvision.datasets.utils import USER_AGENT, calculate_md5

    request = Request(url, headers={"User-Agent": USER_AGENT})
    for attempt in range(ATTEMPTS):
        answered = False
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                answered = True
                body = b"".join(_chunks(response, path.name))
            break
        except (OSError, HTTPException, UnicodeError) as error:  # the last: no URL, or no name of a host
            reason, transient = _diagnose(error)
            if attempt == ATTEMPTS - 1 or not transient:
                raise (_DamagedFileError if answered else _MirrorError)(reason) from None
        time.sleep(BACKOFF_SECONDS * 2**attempt)
    # outside the `try`: a full disk is not the mirror's fault
    try:
        path.write_bytes(body)
    except OSError as error:
        error.filename = str(path)  # the disk for temporary files may be another
        raise
    if (found := calculate_md5(path)) != md5:
        path.unlink()
        raise _DamagedFileError(f"wrong checksum: md5 {found}, expected {md5}")


def _chunks(response: HTTPResponse | addinfourl, name: str) -> Iterator[bytes]:
    # an HTTPResponse counts its `length` down; a file:// response has none
    total = getattr(response, "length", None)
    with tqdm(total=total, desc=name, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        while chunk := response.read(CHUNK_BYTES):
            bar.update(len(chunk))
            yield chunk
    if remaining := getattr(response, "length", None):
        raise IncompleteRead(b"", remaining)


def _diagnose(error: Exception) -> tuple[str, bool]:
    """What went wrong, and whether asking again may help."""
    if isinstance(error, HTTPError):
        error.close()
        return f"HTTP {error.code} {error.reason}", error.code in {408, 429} or error.code >= 500
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS} s", True
    if isinstance(cause, IncompleteRead):
        return "the connection ended before the file did", True
    # no second question about an unknown host: the resolver has asked several times itself
    transient = isinstance(cause, ConnectionResetError | ConnectionAbortedError)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__, transient
