"""How a model is trained: its parameters in params.yaml, the schedules and the optimizers they stand for."""

import math
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, TypeAdapter
from torch import Tensor

from autoencoder.config import LARGEST, Section
from autoencoder.models import AE, VAE, AEParams, ArticleParams, PCAParams, VAEParams
from autoencoder.muon import Muon

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=LARGEST)]
Weight = Annotated[float, Field(ge=0, le=LARGEST)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]


class PCATraining(PCAParams, extra="forbid"):
    """PCA has nothing to tune but its size."""


class ArticleTraining(ArticleParams, extra="forbid"):
    """Adam at a constant learning rate, as in the article."""

    epochs: Epochs
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate: Positive


class Optimisation(Section):
    """How an AE or a VAE is trained."""

    likelihood: Literal["bernoulli", "gaussian"]
    binarize: Literal["none", "dynamic"]
    optimizer: Literal["adamw", "muon"]
    epochs: Epochs
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate: Positive
    learning_rate_warmup: Share
    weight_decay: Weight
    grad_clip: Positive


class AETraining(AEParams, Optimisation, extra="forbid"):
    """An autoencoder: the reconstruction term alone."""


class VAETraining(VAEParams, Optimisation, extra="forbid"):
    """A VAE: reconstruction plus beta times the KL term (beta-VAE: Higgins et al. 2017).

    From more than one importance sample it trains the importance-weighted bound (Burda et al. 2016).
    """

    beta: Weight
    kl_warmup: Share
    importance_samples: Annotated[int, Field(ge=1, le=100)]


SEED: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=0, lt=2**63, strict=True)])
NetworkTraining = ArticleTraining | AETraining | VAETraining
TrainParams = PCATraining | NetworkTraining
TRAIN_PARAMS: TypeAdapter[TrainParams] = TypeAdapter(Annotated[TrainParams, Field(discriminator="kind")])


def schedules(params: NetworkTraining, steps_per_epoch: int) -> tuple[Float[Tensor, " steps"], Float[Tensor, " steps"]]:
    """Learning rate and KL weight of every step of a run."""
    steps = params.epochs * steps_per_epoch
    if isinstance(params, ArticleTraining):
        return torch.full((steps,), params.learning_rate), torch.ones(steps)
    progress = (torch.arange(steps, dtype=torch.float64) + 1) / steps
    warmup = params.learning_rate_warmup
    at = progress if steps > 1 else progress / 2  # the last step's rate is 0, unless it is the only step
    rise = at / warmup if warmup else torch.ones(steps)
    fall = 0.5 * (1 + torch.cos(math.pi * (at - warmup) / max(1 - warmup, 1e-9)))
    rates = params.learning_rate * torch.where(at < warmup, rise, fall)
    if isinstance(params, AETraining):
        weights = torch.zeros(steps)
    else:
        weights = params.beta * (progress / params.kl_warmup if params.kl_warmup else torch.ones(steps)).clamp(max=1)
    return rates.float(), weights.float()


def build_optimizers(model: AE | VAE, params: NetworkTraining, capturable: bool) -> list[torch.optim.Optimizer]:
    """The optimizers of a model's parameters; `capturable` by a CUDA graph, which keeps their step count on the GPU."""
    parameters = list(model.parameters())
    rate = params.learning_rate
    if isinstance(params, ArticleTraining):
        return [torch.optim.Adam(parameters, lr=rate, fused=True, capturable=capturable)]
    decay = params.weight_decay
    if params.optimizer == "adamw":
        return [torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True, capturable=capturable)]
    # Jordan et al. leave the first and the last matrix to AdamW; here all go to Muon: these nets have little else
    matrices = [parameter for parameter in parameters if parameter.ndim == 2]
    others = [parameter for parameter in parameters if parameter.ndim != 2]
    return [
        Muon(matrices, lr=rate, weight_decay=decay),
        torch.optim.AdamW(others, lr=rate, weight_decay=decay, fused=True, capturable=capturable),
    ]
