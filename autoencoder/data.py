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
from autoencoder.files import read_arrays

SPLIT_SEED = 20131220  # fixed: another training seed must not move the split; the day the VAE paper appeared


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
        UnusableFileError: the file is missing or damaged.
        ParameterError: validation would take more than half of the training images.
    """
    arrays = read_arrays(path, ("train_images", "train_labels"))
    images, labels = arrays["train_images"], arrays["train_labels"]
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
        UnusableFileError: the file is missing or damaged.
    """
    arrays = read_arrays(path, ("test_images", "test_labels"))
    return _split(arrays["test_images"], arrays["test_labels"], device)


def _split(images: np.ndarray, labels: np.ndarray, device: torch.device) -> Split:
    return Split(torch.from_numpy(images)[:, None].to(device), torch.from_numpy(labels).to(device))
