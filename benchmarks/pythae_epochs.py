"""Epochs of pythae's own trainer over our networks, one for every line on stdin; run by its virtual environment."""

import ast
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import AE, VAE, AEConfig, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback

from autoencoder import models

MANY = 1000  # epochs; the process is killed when nobody asks for another


class Encoder(BaseEncoder):  # type: ignore[misc]
    """Ours, with pythae's names for the outputs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> ModelOutput:
        """Embedding and, for a VAE, log variances."""
        if isinstance(self.model, models.VAE):
            posterior = self.model.posterior(image)
            return ModelOutput(embedding=posterior.mean, log_covariance=posterior.log_var)
        return ModelOutput(embedding=self.model.encode(image))


class Decoder(BaseDecoder):  # type: ignore[misc]
    """Ours."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, latent: torch.Tensor) -> ModelOutput:
        """The image."""
        return ModelOutput(reconstruction=torch.sigmoid(self.decoder(latent)))


class Clock(TrainingCallback):  # type: ignore[misc]
    """Starts an epoch when asked, says how long it took."""

    def on_epoch_begin(self, training_config: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Wait for a line."""
        sys.stdin.readline()
        self.started = time.perf_counter()

    def on_train_step_end(self, training_config: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Keep the time of the last step: saving and logging are no training."""
        self.ended = time.perf_counter()

    def on_epoch_end(self, training_config: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Answer."""
        print(f"\nseconds {self.ended - self.started}", flush=True)


def main() -> None:
    """Train until killed."""
    params, folder = ast.literal_eval(sys.argv[1]), Path(sys.argv[2])
    ours = models.build_model(models.MODEL_PARAMS.validate_python(params), seed=0)
    shape, size = (1, 28, 28), ours.latent_dim
    if isinstance(ours, models.VAE):
        config = VAEConfig(input_dim=shape, latent_dim=size, reconstruction_loss="mse")
        model = VAE(config, encoder=Encoder(ours), decoder=Decoder(ours))
    else:
        model = AE(AEConfig(input_dim=shape, latent_dim=size), encoder=Encoder(ours), decoder=Decoder(ours))
    images = torch.from_numpy(np.load(folder / "images.npy")).float() / 255
    with tempfile.TemporaryDirectory() as output:
        trainer = BaseTrainer(
            model=model,
            train_dataset=BaseDataset(images, torch.zeros(len(images))),
            training_config=BaseTrainerConfig(
                output_dir=output,
                num_epochs=MANY,
                per_device_train_batch_size=params["batch_size"],
                learning_rate=params["learning_rate"],
                no_cuda=True,
            ),
            callbacks=[Clock()],
        )
        trainer.train()


if __name__ == "__main__":
    main()
