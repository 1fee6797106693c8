"""Epochs of the loop that a tutorial has, over our networks, one for every line on stdin; in a process of its own."""

import ast
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader

from autoencoder.models import AE, MODEL_PARAMS, PIXELS, VAE, build_model
from benchmarks.article import Digits


def network(params: dict[str, Any]) -> AE | VAE:
    """The model that params describe; those of training are ignored."""
    model = build_model(MODEL_PARAMS.validate_python(params), seed=0)
    assert isinstance(model, AE | VAE)
    return model


def plain_loss(model: AE | VAE, image: torch.Tensor) -> torch.Tensor:
    """Squared error per image and, for a VAE, the KL term."""
    if isinstance(model, VAE):
        posterior = model.posterior(image)
        mean, log_var = posterior.mean, posterior.log_var
        latent = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum() / len(image)
    else:
        latent, kl = model.encode(image), torch.zeros((), device=image.device)
    reconstruction = torch.sigmoid(model.decoder(latent))
    return functional.mse_loss(reconstruction, image) * PIXELS + kl


def main() -> None:
    """A DataLoader with ToTensor, the loss in torch's own functions, Adam; until killed."""
    params, folder = ast.literal_eval(sys.argv[1]), Path(sys.argv[2])
    torch.manual_seed(0)
    loader = DataLoader(Digits(np.load(folder / "images.npy")[:, 0]), batch_size=params["batch_size"], shuffle=True)
    model = network(params)
    optimizer = torch.optim.Adam(model.parameters(), lr=params["learning_rate"])
    for _ in sys.stdin:
        started = time.perf_counter()
        for image in loader:
            loss = plain_loss(model, image)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"seconds {time.perf_counter() - started}", flush=True)


if __name__ == "__main__":
    main()
