"""From the data set's .npz to splits: uint8 tensors, already on the device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from jaxtyping import UInt8
from pydantic import Field
from torch import Tensor

from autoencoder.config import ParameterError, Section
from autoencoder.errors import UnusableFileError
from autoencoder.files import read_arrays

SPLIT_SEED = 20131220  # fixed: another training seed must not move the split; the day the VAE paper appeared
IMAGE_SHAPE, CLASSES = (28, 28), 10


class SplitParams(Section, extra="ignore"):
    """The keys of the section `data` that split training from validation."""

    validation_size: Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Split:
    """Images with their labels, on one device."""

    images: UInt8[Tensor, "n 1 28 28"]
    labels: UInt8[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.images)

    def head(self, count: int) -> "Split":
        """The first `count` examples."""
        return Split(self.images[:count], self.labels[:count])


def load_training_splits(path: Path, params: SplitParams, device: torch.device) -> tuple[Split, Split]:
    """The training and validation splits, carved from the data set's training images by a fixed permutation.

    Raises:
        UnusableFileError: the file is missing or damaged, or holds something else.
        ParameterError: validation would take more than half of the training images.
    """
    images, labels = _read(path, "train")
    if params.validation_size * 2 > len(images):
        raise ParameterError(
            f"params.yaml: data.validation_size = {params.validation_size}: {path.name} has {len(images)} training "
            f"images; expected at most half of them (a sixth, {len(images) // 6}, is usual)"
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    validation, train = np.split(order, [params.validation_size])
    return _split(images[train], labels[train], device), _split(images[validation], labels[validation], device)


def load_test_split(path: Path, device: torch.device) -> Split:
    """The test split, which nothing that trains or chooses may read.

    Raises:
        UnusableFileError: the file is missing or damaged, or holds something else.
    """
    return _split(*_read(path, "test"), device)


def _read(path: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a part of the data set."""
    names = f"{part}_images", f"{part}_labels"
    arrays = read_arrays(path, names)
    images, labels = (arrays[name] for name in names)
    fits = images.dtype == labels.dtype == np.uint8 and images.shape == (len(labels), *IMAGE_SHAPE)
    if not fits or labels.max(initial=0) >= CLASSES:
        raise UnusableFileError(
            f"{path} holds something else than {part} images of 28x28 bytes, each with a label below 10"
        )
    return images, labels


def _split(images: np.ndarray, labels: np.ndarray, device: torch.device) -> Split:
    return Split(torch.from_numpy(images)[:, None].to(device), torch.from_numpy(labels).to(device))
