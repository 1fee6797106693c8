"""files.py: a file is written whole or not at all, and JSON for people and diffs."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from autoencoder.files import write_atomically, write_json


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class FullFile:
    """A file that takes some bytes, and then the disk is full."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __enter__(self) -> "FullFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> None:
        self.file.write(content[:2])
        self.file.flush()
        full_disk()


@pytest.mark.parametrize("old", [b"the old content", None], ids=["over an old file", "a new file"])
@pytest.mark.parametrize("moment", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_the_old_file_and_no_partial_one(moment, old, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    if old is not None:
        path.write_bytes(old)
    real = Path.open
    match moment:
        case "write":
            monkeypatch.setattr(Path, "open", lambda *arguments: FullFile(real(*arguments)))
        case "fsync":
            monkeypatch.setattr(os, "fsync", full_disk)
        case "rename":
            monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: '.*/model\.pt'$"):
        write_atomically(path, b"the new content")
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ([] if old is None else ["model.pt"])
    assert old is None or path.read_bytes() == old


def test_writing_makes_folders_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    for content in (b"first, longer", b"second"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["file.bin"]


def test_a_linked_file_is_replaced_not_written_through(tmp_path):
    cache = tmp_path / "cached"
    cache.write_bytes(b"in DVC's cache")
    (tmp_path / "out").hardlink_to(cache)
    write_atomically(tmp_path / "out", b"new")
    assert cache.read_bytes() == b"in DVC's cache"


def test_json_is_sorted_indented_and_finite(tmp_path):
    write_json(tmp_path / "metrics.json", {"b": 1, "a": {"d": 0.5, "c": None}})
    assert (tmp_path / "metrics.json").read_text() == ('{\n  "a": {\n    "c": null,\n    "d": 0.5\n  },\n  "b": 1\n}\n')
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "bad.json", {"a": float("nan")})
    assert not (tmp_path / "bad.json").exists()


def test_ctrl_c_leaves_the_old_file_and_no_partial_one(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(b"the old content")

    def stop(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"the new content")
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]
    assert path.read_bytes() == b"the old content"
