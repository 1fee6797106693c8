"""Evaluate one model on the test split: its metrics, and pictures of reconstructions, samples and interpolations."""

import argparse
import math
import os
import time
from pathlib import Path

import numpy as np

from autoencoder.checkpoints import load_model
from autoencoder.classifier import load_judge
from autoencoder.data import SplitParams, load_test_split, load_training_splits
from autoencoder.devices import configure, describe_device, select_device
from autoencoder.evaluation import EvaluateParams, evaluate
from autoencoder.files import write_atomically, write_json
from autoencoder.gallery import interpolations, reconstructions, samples
from autoencoder.headline import headline, significant
from autoencoder.images import encode_png, to_unit_interval
from autoencoder.latent_space import LatentSpaceParams, judge_latent_space
from autoencoder.priors import exported_priors
from stages.parameters import load_parameters
from stages.process import StageError, run, write_timings


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

    device = select_device(os.environ.get("DEVICE", "auto"))
    configure(device, tf32=False)
    started = time.perf_counter()
    train, _ = load_training_splits(args.data, split_params, device)
    test = load_test_split(args.data, device)
    model, _ = load_model(args.checkpoint, device)
    print(f"{args.model}: evaluating on {len(test):,} test images, {describe_device(device)}", flush=True)
    judge, fingerprint = load_judge(args.classifier, device)
    with np.load(args.latents) as file:
        latents = dict(file)
    priors = exported_priors(latents)
    image = to_unit_interval(test.images)
    measured = evaluate(model, params, train, test) | judge_latent_space(
        model, image, latents["test_mean"], priors, judge, space
    )
    metrics = {name: significant(value) for name, value in measured.items()}
    if bad := [name for name, value in metrics.items() if not math.isfinite(value)]:
        raise StageError(f"{args.model}: not a finite number: {', '.join(bad)}; the training went wrong")

    pictures = {
        "reconstructions": reconstructions(model, test),
        "samples": samples(model, priors, device),
        "interpolations": interpolations(model, test),
    }
    for name, picture in pictures.items():
        write_atomically(args.pictures / f"{name}.png", encode_png(picture))
    write_json(args.metrics, headline(metrics))
    write_json(args.details, {**metrics, "classifier": fingerprint})
    write_timings(f"evaluate_{args.model}", device=describe_device(device), seconds=time.perf_counter() - started)
    print(f"{args.model}: " + ", ".join(f"{name} {value}" for name, value in headline(metrics).items()))


if __name__ == "__main__":
    run(main)
