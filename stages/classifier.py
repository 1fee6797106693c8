"""Train the digit classifier that judges what models generate, and calibrate it on the validation split."""

import argparse
import time
from pathlib import Path

import torch._dynamo  # noqa: F401  # what torch's optimizers import at their first use, which is start-up

from autoencoder.classifier import ClassifierParams, build_classifier, calibrated, fit, save_judge
from autoencoder.data import SplitParams, load_training_splits
from autoencoder.devices import describe_device
from stages.device import choose_device
from stages.parameters import load_parameters
from stages.process import run, write_timings


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, train, write the judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    parameters = load_parameters()
    params = parameters.read("classifier", ClassifierParams.model_validate)
    split_params = parameters.read("data", SplitParams.model_validate)

    device = choose_device(tf32=False)
    started = time.perf_counter()
    train, validation = load_training_splits(args.data, split_params, device)
    print(f"classifier: {len(train):,} training images on {describe_device(device)}", flush=True)
    classifier = build_classifier()
    for epoch, loss in enumerate(fit(classifier, params, train), start=1):
        print(f"classifier: epoch {epoch}/{params.epochs}, train {loss:.4g} nats per image", flush=True)
    judge = calibrated(classifier, params, train, validation)
    save_judge(args.output, judge)
    write_timings("classifier", device=describe_device(device), seconds=time.perf_counter() - started)
    print(
        f"classifier: sure above {judge.threshold:.4f}, which {params.real_acceptance:.0%} of the validation images reach"
    )


if __name__ == "__main__":
    run(main)
