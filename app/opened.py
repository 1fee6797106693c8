"""Files that may be replaced at any time, and what was opened from them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

EXPORTED_FILES = ("manifest.json", "latents.npz", "encoder.onnx", "decoder.onnx", "classifier.onnx")

Stamp = tuple[str, int, int, int]
T = TypeVar("T")


def stamp(path: Path) -> Stamp | None:
    """What changes whenever a file is replaced, without reading it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (str(path), status.st_mtime_ns, status.st_size, status.st_ino)


def stamps(folder: Path) -> tuple[Stamp | None, ...]:
    """The stamps of one export."""
    return tuple(stamp(folder / name) for name in EXPORTED_FILES)


class Opened(Generic[T]):
    """What was last opened from each folder: kept until its successor is open, and no longer."""

    def __init__(self, load: Callable[[Path, str, str], T]) -> None:
        self._load = load
        self._found: dict[Path, tuple[tuple[Stamp | None, ...], T]] = {}
        self._lock = threading.Lock()  # ten viewers of a new export open it once

    def current(self, folder: Path, mend: str) -> T:
        """What the files hold now.

        Raises:
            ArtifactError: they cannot be opened; `last` is as it was.
        """
        with self._lock:
            now, found = stamps(folder), self._found.get(folder)
            if found is None or found[0] != now:
                found = self._found[folder] = now, self._load(folder, os.environ.get("DEVICE", "auto"), mend)
            return found[1]

    def last(self, folder: Path) -> T | None:
        """What could be opened there last, if ever."""
        return self._found[folder][1] if folder in self._found else None

    def all(self) -> list[T]:
        """Everything that is open."""
        return [value for _, value in list(self._found.values())]  # another thread may add one meanwhile
