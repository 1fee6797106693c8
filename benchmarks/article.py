"""The article's own training loop, written as the article has it: the opponent of every time-to-quality benchmark."""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

BATCH_SIZE = 32
LEARNING_RATE = 1e-3


class Digits(Dataset[torch.Tensor]):
    """As torchvision's MNIST: uint8 in memory, a PIL image and a transform per item."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images)
        self.transform = transforms.ToTensor()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.fromarray(self.images[index].numpy()))


class AE(nn.Module):
    """784-256-64-20-64-256-784, ReLU after every layer but the last, which is a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 20), nn.ReLU()
        )
        self.decoder = nn.Sequential(
            nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Flatten, encode, decode, unflatten."""
        batch = x.size(0)
        return self.decoder(self.encoder(x.view(batch, 784))).view(batch, 1, 28, 28)


def article_epochs(train: np.ndarray, device: torch.device, epochs: int, seed: int) -> Iterator[nn.Module]:
    """Train as the article does and yield the model after every epoch."""
    torch.manual_seed(seed)
    loader = DataLoader(Digits(train), batch_size=BATCH_SIZE, shuffle=True)
    model = AE().to(device)
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        for x in loader:
            x = x.to(device)
            loss = criterion(model(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()
        yield model


def mean_squared_error(model: nn.Module, images: np.ndarray, device: torch.device) -> float:
    """On images in [0, 1], decoding what was encoded."""
    with torch.no_grad():
        x = torch.from_numpy(images)[:, None].to(device).float() / 255
        return (model(x) - x).square().mean().item()


def main() -> None:
    """Train and print seconds and test error.

    In a process of its own, so that nothing that `autoencoder.devices.configure` sets speeds it up.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.article", description=__doc__)
    parser.add_argument("folder", type=Path, help="with train.npy and test.npy, uint8 images [n, 28, 28]")
    parser.add_argument("device", type=torch.device)
    parser.add_argument("epochs", type=int)
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    train, test = (np.load(args.folder / f"{name}.npy") for name in ("train", "test"))
    one = torch.ones(1, 1, device=args.device)
    one @ one  # a GPU's start, cuBLAS's included, is nobody's training
    started = time.perf_counter()
    *_, model = article_epochs(train, args.device, args.epochs, args.seed)
    seconds = time.perf_counter() - started  # `article_epochs` has read the loss, so a GPU is done
    print(json.dumps({"seconds": seconds, "test_mse": mean_squared_error(model, test, args.device)}))


if __name__ == "__main__":
    main()
