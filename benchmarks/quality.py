"""Time to quality: the article's loop for five epochs, then a shorter training of this project's that is as good.

All contestants see the same images. Same layers throughout; once with the article's optimiser, batches and epochs
(what engineering gains), once with this project's recipe.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from autoencoder.data import Split
from autoencoder.devices import configure
from autoencoder.evaluation import reconstruction_mse
from autoencoder.models import AE, MODEL_PARAMS, build_model
from autoencoder.recipe import TRAIN_PARAMS, PCATraining
from autoencoder.training import Training
from benchmarks.timing import spread, wait_for

ARTICLE_EPOCHS = 5
ARTICLE = MODEL_PARAMS.validate_python({"kind": "ae_article"})
SAME_OPTIMIZER = {"kind": "ae_article", "epochs": ARTICLE_EPOCHS, "batch_size": 32, "learning_rate": 1e-3}
# Chosen on the validation split, then fixed.
RECIPE: dict[str, Any] = {
    "kind": "ae",
    "latent_dim": 20,
    "network": {"type": "mlp", "hidden": [256, 64]},
    "likelihood": "gaussian",
    "binarize": "none",
    "optimizer": "muon",
    "epochs": 1,
    "batch_size": 240,
    "learning_rate": 0.03,
    "learning_rate_warmup": 0.05,
    "weight_decay": 0.0,
    "grad_clip": 1e9,
}


def time_to_quality(
    train: Split,
    validation: Split,
    test: Split,
    seeds: Sequence[int],
    article_seeds: Sequence[int] | None = None,
    target: float = math.inf,
) -> dict[str, Any]:
    """Seconds and test error of every contestant and seed, interleaved, and the ratios of the medians.

    Args:
        train: what the contestants train on.
        validation: what this project's training looks at after every epoch.
        test: where the error is measured.
        seeds: of every contestant.
        article_seeds: with which of them the article's loop, which takes its time, is run; by default with all.
        target: the error to reach, where the article's median is not lower.
    """
    device = train.images.device
    runs: dict[str, list[dict[str, float]]] = {"article": [], "same_optimizer": [], "recipe": []}
    with tempfile.TemporaryDirectory() as folder:
        for name, split in (("train", train), ("test", test)):
            np.save(f"{folder}/{name}.npy", split.images[:, 0].cpu().numpy())
        for seed in seeds:
            command = [sys.executable, "-m", "benchmarks.article", folder, str(device), str(ARTICLE_EPOCHS), str(seed)]
            if article_seeds is None or seed in article_seeds:
                runs["article"].append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
            for name, params in (("same_optimizer", SAME_OPTIMIZER), ("recipe", RECIPE)):
                runs[name].append(_run(params, train, validation, test, seed))
    target = min(target, spread([run["test_mse"] for run in runs["article"]])["median"])
    report: dict[str, Any] = {"seeds": list(seeds), "images": len(train), "target_mse": target}
    for name, found in runs.items():
        taken = spread([run["seconds"] for run in found])
        report[name] = {
            "seconds": taken,
            "runs": found,
            "as_good": sum(run["test_mse"] <= target for run in found),
            "times_faster": spread([run["seconds"] for run in runs["article"]])["median"] / taken["median"],
        }
    return report


def _run(params: dict[str, Any], train: Split, validation: Split, test: Split, seed: int) -> dict[str, float]:
    """Seconds to prepare (on a GPU: to capture the step), from the first step to the last, and the error reached."""
    checked = TRAIN_PARAMS.validate_python(params)
    model = build_model(ARTICLE, seed)
    assert isinstance(model, AE)
    assert not isinstance(checked, PCATraining)
    device = train.images.device
    started = time.perf_counter()
    training = Training(model.to(device), checked, train, validation, seed)
    training.prepare()
    wait_for(device)
    prepared = time.perf_counter()
    list(training.epochs())
    wait_for(device)
    seconds = time.perf_counter() - prepared
    with full_precision(device):  # to measure, as in the article's process
        error = reconstruction_mse(training.model, 10_000, test)
    return {"prepare_seconds": prepared - started, "seconds": seconds, "test_mse": error}


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No TF32 for a while, whatever happens in it."""
    configure(device, tf32=False)
    try:
        yield
    finally:
        configure(device, tf32=True)
