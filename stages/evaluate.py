"""Evaluate one model on the test split: its metrics, and pictures of what it makes of images and of its latent space."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from autoencoder.charts import dimensions, latent_map
from autoencoder.checkpoints import load_checkpoint
from autoencoder.classifier import load_judge
from autoencoder.data import SplitParams, load_test_split, load_training_splits
from autoencoder.devices import describe_device
from autoencoder.errors import ForeseenError, UnusableFileError
from autoencoder.evaluation import EvaluateParams, activity, evaluate
from autoencoder.files import read_arrays, sha256, write_atomically, write_json
from autoencoder.gallery import interpolations, manifold, reconstructions, samples, traversals
from autoencoder.headline import headline, significant
from autoencoder.images import to_unit_interval
from autoencoder.latent_space import LatentSpaceParams, judge_latent_space
from autoencoder.priors import Prior, exported_priors
from autoencoder.sheets import encode_sheet
from stages.device import choose_device
from stages.parameters import load_parameters
from stages.process import run, write_timings

SECONDS_BETWEEN_NOTES = 60.0


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, measure, write metrics and pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a key of `models` in params.yaml")
    for name in ("data", "checkpoint", "latents", "classifier", "metrics", "details", "pictures"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    parameters = load_parameters()
    params = parameters.read("evaluate", EvaluateParams.model_validate)
    space = parameters.read("latent_space", LatentSpaceParams.model_validate)
    split_params = parameters.read("data", SplitParams.model_validate)

    device = choose_device(tf32=False)
    started = time.perf_counter()
    train, _ = load_training_splits(args.data, split_params, device)
    test = load_test_split(args.data, device)
    model, _ = load_checkpoint(args.checkpoint, device)
    if device.type == "cpu":  # convolutions are almost twice as fast so; on an H200 in full precision a fifth slower
        model.to(memory_format=torch.channels_last)
    print(f"{args.model}: evaluating on {len(test):,} test images, {describe_device(device)}", flush=True)
    judge, digest = load_judge(args.classifier, device)
    latents, priors = read_latents(args.latents, (len(test), model.latent_dim))
    image = to_unit_interval(test.images)
    codes = latents["test_mean"]
    measured = evaluate(model, params, train, test, priors["gmm"], partial(watched, args.model))
    measured |= judge_latent_space(model, image, codes, priors, judge, space)
    metrics = {name: significant(value) for name, value in measured.items()}
    if bad := [name for name, value in metrics.items() if not np.isfinite(value).all()]:
        raise ForeseenError(f"{args.model}: not a finite number: {', '.join(bad)}; the training went wrong")

    carried, unit = activity(measured, codes)
    pictures = {
        "reconstructions": reconstructions(args.model, model, test),
        "samples": samples(args.model, model, priors, device),
        "interpolations": interpolations(args.model, model, test, judge),
        "latent_map": latent_map(args.model, codes, latents["test_labels"]),
        "manifold": manifold(args.model, model, codes, device),
        "dimensions": dimensions(args.model, carried, unit),
        "traversals": traversals(args.model, model, codes, carried, device),
    }
    for name, picture in pictures.items():
        write_atomically(args.pictures / f"{name}.png", encode_sheet(picture))
    write_json(args.metrics, headline(metrics))
    # what was measured, and with what: a viewer tells by it whether the figures are of the export that it shows
    of = {"latents": sha256(args.latents.read_bytes())[:8], "classifier": digest[:8]}
    write_json(args.details, metrics | of)
    write_timings(f"evaluate_{args.model}", device=describe_device(device), seconds=time.perf_counter() - started)
    print(f"{args.model}: " + ", ".join(f"{name} {value}" for name, value in headline(metrics).items()))


def read_latents(path: Path, shape: tuple[int, int]) -> tuple[dict[str, np.ndarray], dict[str, Prior]]:
    """The side-car of an export, and the priors in it.

    Raises:
        UnusableFileError: it is missing, damaged, or of another model: its test codes have another shape.
    """
    latents = read_arrays(path, ("test_mean", "test_labels"))
    if latents["test_mean"].shape != shape:
        raise UnusableFileError(f"{path} has test codes of shape {latents['test_mean'].shape}, expected {shape}")
    try:
        return latents, exported_priors(latents)
    except (ValueError, LookupError) as error:
        raise UnusableFileError(f"{path} cannot be read ({error})") from None


def watched(model: str, parts: Sequence[Tensor]) -> Iterator[Tensor]:
    """The images whose likelihood is measured; on a terminal with a bar, in a log with a line a minute."""
    terminal, noted = sys.stderr.isatty(), time.perf_counter()
    for done, part in enumerate(tqdm(parts, desc=f"{model}: likelihood", leave=False, disable=not terminal)):
        if not terminal and time.perf_counter() - noted >= SECONDS_BETWEEN_NOTES:
            print(f"{model}: likelihood, {done / len(parts):.0%} of the images", flush=True)
            noted = time.perf_counter()
        yield part


if __name__ == "__main__":
    run(main)
