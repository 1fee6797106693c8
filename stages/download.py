"""Stage `download`: the data set that params.yaml names, as one .npz that every later stage and the viewer read."""

import argparse
import os
from functools import partial
from pathlib import Path

from autoencoder.datasets import DownloadParams, NoMirrorReachable, fetch_dataset, write_dataset
from autoencoder.files import write_atomically
from stages.parameters import load_parameters
from stages.process import run

# What the last download said if no mirror was reachable, for `make repro`: DVC makes one code of all exit codes.
UNREACHABLE_PATH = Path(".ckpt/no-mirror-reachable.txt")


def main(argv: list[str] | None = None) -> None:
    """Fetch the data set (from MNIST_MIRROR first, where that is set) and write it to `--output`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the .npz to write")
    args = parser.parse_args(argv)

    UNREACHABLE_PATH.unlink(missing_ok=True)
    params = load_parameters().read("data", DownloadParams.model_validate)
    try:
        dataset = fetch_dataset(params, os.environ.get("MNIST_MIRROR"), partial(print, flush=True))
    except NoMirrorReachable as error:
        write_atomically(UNREACHABLE_PATH, str(error).encode())
        raise
    write_dataset(args.output, dataset)
    train, test, size = len(dataset.train_images), len(dataset.test_images), args.output.stat().st_size
    print(f"{params.dataset} from {dataset.source}: {train:,} train and {test:,} test images")
    print(f"wrote {args.output} ({size / 1e6:.1f} MB)")


if __name__ == "__main__":
    run(main)
