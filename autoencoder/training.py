"""Training: the data set lives on the device, and one step reads nothing from Python.

A step takes its batch, learning rate and KL weight from tables on the device through counters that are themselves
tensors. On the CPU it is called as it is; on CUDA it is captured once as a CUDA graph and replayed. An epoch's losses
are read when its validation and the next epoch's batches have been asked for, so that a GPU waits for Python once.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from autoencoder.data import Split
from autoencoder.errors import ForeseenError
from autoencoder.images import to_unit_interval
from autoencoder.loss import training_loss
from autoencoder.models import AE, PCA, VAE, Decoder
from autoencoder.recipe import ArticleTraining, NetworkTraining, VAETraining, build_optimizers, schedules

VALIDATION_NOISE_SEED = 20160901  # fixed: validation curves of different training seeds see the same noise
# where no step is taken: near what fits a CPU's cache, enough to keep a GPU busy, and no GPU is too small for it
IMAGES_AT_ONCE = 2000
WARM_UP_STEPS = 3  # before a CUDA graph is captured: libraries choose their kernels and allocate


class TrainingDiverged(ForeseenError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class Terms:
    """A split's mean loss and its two terms, per image; nats, but for the article's networks (their own units).

    The loss is reconstruction + beta * KL, also where a tighter bound is trained. With the Gaussian likelihood, whose
    variance is that of the images at hand, training and validation differ a little by the number of those, too.
    """

    loss: float
    reconstruction: float
    kl_divergence: float


@dataclass(frozen=True)
class EpochMetrics:
    """One epoch: `train` is averaged while the weights change, `validation` is taken at its end.

    `images_per_second` counts training images, and the time of both.
    """

    epoch: int
    train: Terms
    validation: Terms
    images_per_second: float


def fit_pca(model: PCA, train: Split, validation: Split) -> EpochMetrics:
    """Fit PCA in closed form; its loss is the squared error per image, summed over pixels."""
    started = time.perf_counter()
    model.fit(to_unit_interval(train.images))
    terms = []
    for split in (train, validation):
        image = to_unit_interval(split.images)
        error = (model.decode(model.encode(image)) - image).square().flatten(1).sum(1).mean().item()
        terms.append(Terms(error, error, 0.0))
    return EpochMetrics(1, terms[0], terms[1], len(train) / (time.perf_counter() - started))


class Training:
    """One training run: `epochs()` trains, `state_dict()` is all that a later process needs to go on from there."""

    def __init__(
        self,
        model: AE | VAE,
        params: NetworkTraining,
        train: Split,
        validation: Split,
        seed: int,
    ) -> None:
        self.params = params
        self.seed = seed
        self.train = train
        self.validation = validation
        self.device = train.images.device
        self.model = model = model.to(self.device).to(memory_format=torch.channels_last)
        self.batch_size = min(params.batch_size, len(train))
        self.steps = len(train) // self.batch_size  # images that fill no batch are left out, other ones every epoch
        self.epoch = 0
        if isinstance(model.decoder, Decoder):
            start_at_mean_image(model.decoder, train)
        self.optimizers = build_optimizers(model, params, capturable=self.device.type == "cuda")

        batches = (self.steps, self.batch_size)
        self.images = torch.empty(*batches, *train.images.shape[1:], dtype=torch.uint8, device=self.device)
        samples = params.importance_samples if isinstance(params, VAETraining) else 1
        latent_dim = model.latent_dim if isinstance(model, VAE) else 0
        self.noise = torch.empty(*batches, samples, latent_dim, device=self.device)
        counters = torch.zeros(2, dtype=torch.int64, device=self.device)
        self.counters, self.batch, self.step = counters, counters[:1], counters[1:]  # of the epoch, of the run
        self.totals = torch.zeros(3, dtype=torch.float64, device=self.device)
        self.schedule = torch.stack(schedules(params, self.steps), 1).to(self.device)
        self.scheduled = torch.zeros(1, 2, device=self.device)
        self.learning_rate, self.kl_weight = self.scheduled[0, 0], self.scheduled[:, 1]
        self.beta = self.schedule[-1, 1]
        self._share_learning_rate()
        self._run_step: Callable[[], None] = self._step

    def prepare(self) -> None:
        """Capture the step, where it will be captured and something is left to train; `epochs` does it if nobody has."""
        if self.device.type == "cuda" and self._run_step == self._step and self.epoch < self.params.epochs:
            self._run_step = self._captured()

    def epochs(self) -> Iterator[EpochMetrics]:
        """Train to the end, yielding after every epoch.

        Raises:
            TrainingDiverged: a loss is not finite; the model is of no use.
        """
        self.prepare()
        self._prepare_epoch()
        while self.epoch < self.params.epochs:
            started = time.perf_counter()
            for _ in range(self.steps):
                self._run_step()
            means = self.totals / (self.steps * self.batch_size), self._validation_means()
            self.epoch += 1
            if self.epoch < self.params.epochs:
                self._prepare_epoch()
            train, validation = (Terms(*mean.tolist()) for mean in means)
            seconds = time.perf_counter() - started
            for split, terms in (("training", train), ("validation", validation)):
                if not math.isfinite(terms.loss):
                    raise TrainingDiverged(
                        f"the {split} loss is {terms.loss} in epoch {self.epoch}; a smaller learning_rate "
                        f"(now {self.params.learning_rate:g}) usually cures this"
                    )
            yield EpochMetrics(self.epoch, train, validation, self.steps * self.batch_size / seconds)

    def validate(self) -> Terms:
        """The loss on the validation split, with noise that is the same at every epoch and for every seed."""
        return Terms(*self._validation_means().tolist())

    @torch.no_grad()
    def _validation_means(self) -> Float[Tensor, " 3"]:
        self.model.eval()
        generator = torch.Generator(self.device).manual_seed(VALIDATION_NOISE_SEED)
        total = torch.zeros(3, dtype=torch.float64, device=self.device)
        for images in self.validation.images.split(IMAGES_AT_ONCE):
            noise = torch.randn(1, len(images), self.noise.shape[-1], generator=generator, device=self.device)
            if self._binarizes():
                images = _bernoulli(images, generator)
            terms = training_loss(self.model, self.params, to_unit_interval(images), noise, self.beta)[1:]
            total += self._summed(*terms)
        self.model.train()
        return total / len(self.validation)

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes while training."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; the rest of the run is the same, bit for bit."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self._share_learning_rate()

    def _share_learning_rate(self) -> None:
        """Make the optimizers read the tensor that every step sets."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate

    def _step(self) -> None:
        image = to_unit_interval(self.images.index_select(0, self.batch).squeeze(0))
        noise = self.noise.index_select(0, self.batch).squeeze(0).transpose(0, 1)
        torch.index_select(self.schedule, 0, self.step, out=self.scheduled)
        loss, reconstruction, kl = training_loss(self.model, self.params, image, noise, self.kl_weight)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.mean().backward()
        if not isinstance(self.params, ArticleTraining):
            nn.utils.clip_grad_norm_(self.model.parameters(), self.params.grad_clip, foreach=True)
        for optimizer in self.optimizers:
            optimizer.step()
        with torch.no_grad():
            self.totals += self._summed(reconstruction, kl)
            self.counters += 1

    def _summed(self, reconstruction: Float[Tensor, " batch"], kl: Float[Tensor, " batch"]) -> Float[Tensor, " 3"]:
        """Loss at full beta and its two terms, summed over images."""
        loss = reconstruction + self.beta * kl
        return torch.stack([loss, reconstruction, kl]).sum(1, dtype=torch.float64)

    def _prepare_epoch(self) -> None:
        """Shuffle the images and draw the noise of an epoch.

        Both follow from seed and epoch, so that a resume point need not hold them.
        """
        seeds = np.random.SeedSequence([self.seed, self.epoch]).generate_state(2, np.uint64) >> np.uint64(1)
        generator = torch.Generator().manual_seed(int(seeds[0]))
        # in memory that a GPU reads by itself, when it gets there
        order = torch.randperm(len(self.train), generator=generator, pin_memory=self.device.type == "cuda")
        images = self.images.flatten(0, 1)
        taken = order[: len(images)].to(self.device, non_blocking=True)
        torch.index_select(self.train.images, 0, taken, out=images)
        generator = torch.Generator(self.device).manual_seed(int(seeds[1]))
        self.noise.normal_(generator=generator)
        if self._binarizes():
            for some in images.split(IMAGES_AT_ONCE):
                some.copy_(_bernoulli(some, generator))
        self.batch.zero_()
        self.step.fill_(self.epoch * self.steps)
        self.totals.zero_()

    def _binarizes(self) -> bool:
        return not isinstance(self.params, ArticleTraining) and self.params.binarize == "dynamic"

    def _captured(self) -> Callable[[], None]:
        """The step as a CUDA graph; warming up and capturing leave model and optimizer as they were."""
        before = {key: _clone(value) for key, value in self.state_dict().items()}
        fresh = not self.optimizers[0].state
        self._prepare_epoch()
        stream = torch.cuda.Stream(self.device)
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                self._step()
                self.counters.zero_()
        torch.cuda.current_stream(self.device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        with torch.cuda.graph(graph, stream=stream):
            self._step()
        self._restore(before, fresh)
        return graph.replay

    def _restore(self, before: dict[str, Any], fresh: bool) -> None:
        """Put saved values into the very tensors that the graph has captured."""
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                value.copy_(before["model"][name])
            for optimizer, saved in zip(self.optimizers, before["optimizers"], strict=True):
                for index, state in optimizer.state_dict()["state"].items():
                    for name, value in state.items():
                        if isinstance(value, Tensor):
                            value.zero_() if fresh else value.copy_(saved["state"][index][name])


def start_at_mean_image(decoder: Decoder, train: Split) -> None:
    """Set a decoder's pixel biases so that it decodes to the mean training image before it has learned anything."""
    mean = to_unit_interval(train.images).mean(0).clamp(0.01, 0.99)
    with torch.no_grad():
        decoder.pixel_bias.copy_(torch.logit(mean))


def _bernoulli(images: Tensor, generator: torch.Generator) -> Tensor:
    """Every grey pixel replaced by 0 or 255, drawn with its value as the probability."""
    return (torch.rand(images.shape, generator=generator, device=images.device) * 255 < images).to(torch.uint8) * 255


def _clone(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clone(item) for item in value]
    return value
