"""Weights with the parameters that shaped them, saved and loaded; and resume points of an unfinished training."""

import hashlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from autoencoder.files import PARTIAL, write_atomically
from autoencoder.models import AE, MODEL_PARAMS, PCA, VAE, ModelParams, build_model
from autoencoder.serialization import UNREADABLE, naming, plain_weights, to_bytes

KEPT_SECONDS = 30 * 24 * 3600  # of resume points that nobody goes on from


def save_checkpoint(path: Path, model: PCA | AE | VAE, params: ModelParams) -> None:
    """Write weights and parameters; equal content gives equal bytes, on whatever device and in whatever memory format."""
    content = {"params": params.model_dump(mode="json"), "weights": plain_weights(model)}
    write_atomically(path, to_bytes(content))


def load_checkpoint(path: Path, device: torch.device) -> tuple[PCA | AE | VAE, dict[str, Any]]:
    """The model in evaluation mode on the device, and the section of params.yaml that it was trained with.

    Raises:
        UnusableFileError: the file is missing, damaged, or no checkpoint of this project.
    """
    with naming(path, "checkpoint"):
        content = torch.load(path, map_location="cpu", weights_only=True)
        params = content["params"]
        model = build_model(MODEL_PARAMS.validate_python(params), seed=0)
        model.load_state_dict(content["weights"])
    return model.eval().to(device), params


class ResumePoint:
    """The newest state of an unfinished training, in a file that DVC does not know (it deletes a stage's outputs)."""

    def __init__(self, folder: Path, name: str, depends_on: Any) -> None:
        """A file whose name covers all that the result depends on, this package's loaded code included.

        Args:
            folder: where resume points lie.
            name: what is trained.
            depends_on: JSON-like description of data, parameters and device.
        """
        digest = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode())
        for module in sorted(sys.modules):
            source = getattr(sys.modules[module], "__file__", None)
            if module.startswith("autoencoder.") and source:
                digest.update(Path(source).read_bytes())
        self.folder = folder
        self.path = folder / f"{name}-{digest.hexdigest()[:16]}.pt"

    def load(self) -> dict[str, Any] | None:
        """The saved state, or None where there is none that can be read: training then starts over."""
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except UNREADABLE:
            return None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state."""
        write_atomically(self.path, to_bytes(state))

    def discard(self) -> None:
        """Forget the saved state: the training is over, or of no use. Others are kept as long as one may want them."""
        self.path.unlink(missing_ok=True)
        for path in (*self.folder.glob("*.pt"), *self.folder.glob(f"*{PARTIAL}")):
            with suppress(FileNotFoundError):  # another training forgets it at the same time
                if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink()
