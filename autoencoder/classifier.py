"""The digit classifier that judges what models generate: a small CNN, trained once on the training split.

How sure it is says whether a picture can be read, its penultimate layer is the feature space in which sets of pictures
are compared (as in tensorflow/gan's `mnist_frechet_distance`). It has seen digits alone: `latent_space.reference` measures
how often it is sure of what is none.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from autoencoder.config import LARGEST, ParameterError, Section
from autoencoder.data import Split
from autoencoder.files import sha256, write_atomically
from autoencoder.images import to_unit_interval
from autoencoder.serialization import naming, plain_weights, to_bytes

CLASSES = 10
FEATURES = 128
SEED = 19981101  # fixed: the training seed must not move the measuring instrument; the month LeNet-5 appeared
LARGEST_SHIFT = 2  # pixels, of the training images: digits that are not quite centred are digits
WARM_UP = 0.2  # share of all steps; a line to 0 follows
WEIGHT_DECAY = 0.01
SMALLEST_SPREAD = 0.1  # of a feature, as a share of the mean spread
JUDGED_AT_ONCE = {"cpu": 250, "cuda": 2_000}  # images: what fits a CPU's cache, what keeps a GPU busy


class ClassifierParams(Section):
    """The section `classifier` of params.yaml."""

    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0, le=LARGEST)]
    real_acceptance: Annotated[float, Field(gt=0, lt=1)]


class Classifier(nn.Module):
    """Three convolutions, a layer of features, ten classes."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 32, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 3 * 3, FEATURES),
            nn.ReLU(),
        )
        self.head = nn.Linear(FEATURES, CLASSES)

    def features(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch 128"]:
        """The penultimate layer: what the classes are read from; not below 0."""
        return self.trunk(image)

    def forward(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch 10"]:
        """Logits of the digits of images in [0, 1]."""
        return self.head(self.features(image))


def build_classifier(seed: int = SEED) -> Classifier:
    """A classifier, initialised without touching torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Classifier()


def fit(model: Classifier, params: ClassifierParams, train: Split, seed: int = SEED) -> Iterator[float]:
    """Train with AdamW and a triangular learning rate; yields the mean loss (nats per image) of every epoch.

    Raises:
        ParameterError: the loss is not finite.
    """
    device = train.images.device
    model.train().to(device).to(memory_format=torch.channels_last)
    batch_size = min(params.batch_size, len(train))
    steps = len(train) // batch_size  # an epoch's last, smaller batch is left out
    optimizer = torch.optim.AdamW(model.parameters(), lr=params.learning_rate, weight_decay=WEIGHT_DECAY, fused=True)
    end = max(params.epochs * steps, 2)  # the last step's rate is 0, unless it is the only step
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: triangle((step + 1) / end))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(params.epochs):
        order = torch.randperm(len(train), generator=generator)
        total = torch.zeros((), device=device)
        for rows in order[: steps * batch_size].to(device).split(batch_size):
            image = shifted(to_unit_interval(train.images[rows]), generator)
            loss = functional.cross_entropy(model(image), train.labels[rows].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
        mean = total.item() / steps
        if not math.isfinite(mean):
            raise ParameterError(
                f"params.yaml: classifier: the loss is {mean}; a smaller learning_rate (now {params.learning_rate:g}) "
                "usually cures this"
            )
        yield mean
    model.eval()


def shifted(image: Float[Tensor, "batch 1 28 28"], generator: torch.Generator) -> Float[Tensor, "batch 1 28 28"]:
    """The batch, moved by up to two pixels in both directions, black behind it."""
    down, right = torch.randint(2 * LARGEST_SHIFT + 1, (2,), generator=generator).tolist()
    padded = functional.pad(image, [LARGEST_SHIFT] * 4)
    return padded[:, :, down : down + image.shape[2], right : right + image.shape[3]]


def triangle(progress: float) -> float:
    """From 0 up to 1 at the end of the warm-up, then down to 0."""
    return progress / WARM_UP if progress < WARM_UP else (1 - progress) / (1 - WARM_UP)


@dataclass(frozen=True)
class Judgement:
    """What the classifier says of pictures."""

    features: Float32[np.ndarray, "n 128"]
    accepted: Bool[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]


@dataclass(frozen=True)
class Judge:
    """The trained classifier with its two measures: when it is sure, and how far its features spread."""

    classifier: Classifier
    threshold: float
    feature_std: Float32[np.ndarray, "128"]

    @torch.no_grad()
    def __call__(self, image: Float[Tensor, "n 1 28 28"]) -> Judgement:
        """Features of images in [0, 1], whether it is sure, and of which digit."""
        features, confidence, label = (values.cpu().numpy() for values in _predict(self.classifier, image))
        return Judgement(features, confidence >= self.threshold, label)


def calibrated(classifier: Classifier, params: ClassifierParams, train: Split, validation: Split) -> Judge:
    """The judge: its threshold accepts the share asked for of the validation images; its spread is the training images'.

    Raises:
        ParameterError: the classifier does not tell any image from another.
    """
    confidence = _predict(classifier, to_unit_interval(validation.images))[1]
    features = _predict(classifier, to_unit_interval(train.images))[0]
    spread = features.double().std(0)
    if not spread.any():
        raise ParameterError(
            "params.yaml: classifier: it has learned nothing, its features are the same for every image; a smaller "
            f"learning_rate (now {params.learning_rate:g}) usually cures this"
        )
    # dividing by the spread of a feature that hardly ever fires would let it drown all others
    spread = spread.clamp(min=SMALLEST_SPREAD * spread.mean().item()).float()
    return Judge(classifier, confidence.double().quantile(1 - params.real_acceptance).item(), spread.cpu().numpy())


def save_judge(path: Path, judge: Judge) -> None:
    """Write weights and measures."""
    measures = {"threshold": judge.threshold, "feature_std": torch.from_numpy(judge.feature_std)}
    write_atomically(path, to_bytes({"weights": plain_weights(judge.classifier), **measures}))


def load_judge(path: Path, device: torch.device) -> tuple[Judge, str]:
    """The judge on the device, and its file's SHA-256.

    Raises:
        UnusableFileError: the file is missing, damaged, or no classifier of this project.
    """
    with naming(path, "classifier"):
        found = path.read_bytes()
        content = torch.load(io.BytesIO(found), map_location="cpu", weights_only=True)
        classifier = build_classifier()
        classifier.load_state_dict(content["weights"])
        judge = Judge(classifier.eval(), content["threshold"], content["feature_std"].numpy())
    classifier.to(device).to(memory_format=torch.channels_last)  # twice as fast on a CPU
    return judge, sha256(found)


@torch.no_grad()
def _predict(
    model: Classifier, image: Float[Tensor, "n 1 28 28"]
) -> tuple[Float[Tensor, "n 128"], Float[Tensor, " n"], Int[Tensor, " n"]]:
    """Features, the probability of the likeliest class, and that class."""
    features = torch.cat([model.features(part) for part in image.split(JUDGED_AT_ONCE[image.device.type])])
    confidence, label = model.head(features).softmax(1).max(1)
    return features, confidence, label
