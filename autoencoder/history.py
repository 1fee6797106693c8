"""What one can watch while a model trains: its curve, rewritten every epoch, and one small picture per epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from autoencoder.data import Split
from autoencoder.files import write_atomically
from autoencoder.images import encode_png, image_grid, to_unit_interval
from autoencoder.models import Model
from autoencoder.training import EpochMetrics

HEADER = "epoch,split,loss,reconstruction,kl_divergence"


class History:
    """The curve as long rows (one per epoch and split) and the pictures (images over their reconstructions)."""

    def __init__(self, curve: Path, folder: Path, pictured: Split) -> None:
        self.curve = curve
        self.folder = folder
        self.images = to_unit_interval(pictured.images)
        self.rows: list[str] = []
        self.pictures: list[bytes] = []

    @torch.no_grad()
    def add(self, metrics: EpochMetrics, model: Model) -> None:
        """Append an epoch and write its row and its picture."""
        for split, terms in (("train", metrics.train), ("validation", metrics.validation)):
            values = (terms.loss, terms.reconstruction, terms.kl_divergence)
            self.rows.append(f"{metrics.epoch},{split}," + ",".join(f"{value:.6g}" for value in values))
        both = torch.cat([self.images, model.decode(model.encode(self.images))]).squeeze(1).cpu().numpy()
        self.pictures.append(encode_png(np.asarray(image_grid(both, columns=len(self.images), scale=2, background=64))))
        self._write_picture(len(self.pictures))
        self._write_curve()

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training needs to write the same files."""
        return {"rows": self.rows, "pictures": self.pictures}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the epochs of an interrupted training and write their files again."""
        self.rows, self.pictures = list(state["rows"]), list(state["pictures"])
        for epoch in range(1, len(self.pictures) + 1):
            self._write_picture(epoch)
        self._write_curve()

    def _write_curve(self) -> None:
        write_atomically(self.curve, "".join(f"{row}\n" for row in [HEADER, *self.rows]).encode())

    def _write_picture(self, epoch: int) -> None:
        write_atomically(self.folder / f"epoch_{epoch:04d}.png", self.pictures[epoch - 1])
