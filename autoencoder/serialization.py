"""What torch saves, as bytes that depend on the content alone, and what it finds wrong with files that it cannot load."""

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autoencoder.errors import UnusableFileError

# What torch.load raises for files that are missing, cut short, damaged or of another kind
UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    pickle.UnpicklingError,
)


def to_bytes(content: dict[str, Any]) -> bytes:
    """What torch would save; in memory, since it writes the name of a file into that."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def plain_weights(module: nn.Module) -> dict[str, Tensor]:
    """A module's weights and buffers on the CPU, in the order of their dimensions, since torch saves that, too."""
    plain = torch.contiguous_format
    return {name: value.cpu().clone(memory_format=plain) for name, value in module.state_dict().items()}


@contextmanager
def naming(path: Path, what: str) -> Iterator[None]:
    """Whatever torch finds wrong with this file becomes an UnusableFileError that names it."""
    try:
        yield
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise UnusableFileError(f"{path} is no usable {what} ({reason})") from None
