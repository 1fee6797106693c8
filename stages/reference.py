"""Real images in the place of generated ones: the noise floor, or the ceiling, of every metric of samples."""

import argparse
import time
from pathlib import Path

from autoencoder.classifier import load_judge
from autoencoder.data import SplitParams, load_test_split, load_training_splits
from autoencoder.devices import describe_device
from autoencoder.files import write_json
from autoencoder.headline import headline, significant
from autoencoder.latent_space import LatentSpaceParams, reference
from stages.device import choose_device
from stages.parameters import load_parameters
from stages.process import run, write_timings


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, measure, write the metrics."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "classifier", "metrics", "details"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    parameters = load_parameters()
    params = parameters.read("latent_space", LatentSpaceParams.model_validate)
    split_params = parameters.read("data", SplitParams.model_validate)

    device = choose_device(tf32=False)
    started = time.perf_counter()
    _, validation = load_training_splits(args.data, split_params, device)
    test = load_test_split(args.data, device)
    judge, digest = load_judge(args.classifier, device)
    rounded = {name: significant(value) for name, value in reference(judge, validation, test, params).items()}
    write_json(args.metrics, headline(rounded))
    write_json(args.details, {**rounded, "classifier": digest[:8]})
    write_timings("reference", device=describe_device(device), seconds=time.perf_counter() - started)
    print(f"real images: classifier_accuracy {rounded['classifier_accuracy']}")


if __name__ == "__main__":
    run(main)
