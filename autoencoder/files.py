"""Writing a file whole or not at all, and reading one that may be damaged."""

import hashlib
import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from autoencoder.errors import UnusableFileError

PARTIAL = ".partial"  # ends the name of a file that is being written


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, rename: a crash leaves the old file or the new one, never half of one.

    Raises:
        OSError: the disk is full or the folder cannot be written; the file is named, no partial one is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        error.filename = str(path)  # a full disk is said without a name, the rest with the partial file's
        raise
    finally:
        with suppress(OSError):  # of a disk that cannot be written the first error tells
            partial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people and diffs: indented, keys sorted, a newline at the end."""
    write_atomically(path, (json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n").encode())


def sha256(content: bytes) -> str:
    """The hexadecimal digest."""
    return hashlib.sha256(content).hexdigest()


def read_arrays(path: Path, needed: Collection[str] = ()) -> dict[str, np.ndarray]:
    """All arrays of an .npz.

    Raises:
        UnusableFileError: the file is missing or damaged, or lacks one that is needed; the message says how.
    """
    try:
        with (
            path.open("rb") as content,
            np.load(content, allow_pickle=False) as file,
        ):  # numpy leaves a damaged file open
            arrays = dict(file)
    except Exception as error:  # numpy's and zipfile's share no narrower base class
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UnusableFileError(f"{path} cannot be read ({reason})") from None
    if missing := [name for name in needed if name not in arrays]:
        raise UnusableFileError(f"{path} cannot be read (it lacks {', '.join(missing)})")
    return arrays
