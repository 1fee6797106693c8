"""What a `dvc repro` computes, without what its processes take to start: all stages, one after another in this one.

Runs the commands of dvc.yaml and prints the seconds of each as JSON. What a stage says goes to standard error.
"""

import argparse
import importlib
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from autoencoder.config import Parameters

DOWNLOAD = "download"  # its output is there already


def commands(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Every stage's name, with its model where it has one, and its command without `python -m`, in the order of the DAG."""
    stages: dict[str, dict[str, Any]] = Parameters.load(folder / "dvc.yaml").tree["stages"]
    params = Parameters.load(folder / "params.yaml").tree
    for stage, about in stages.items():
        for model in params["models"] if "matrix" in about else [""]:
            command = about["cmd"].replace("${data.dataset}", params["data"]["dataset"])
            if stage != DOWNLOAD:
                yield f"{stage}_{model}".rstrip("_"), shlex.split(command.replace("${item.model}", model))[2:]


def main() -> None:
    """Import all stages, then run them in the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compute", description=__doc__)
    parser.add_argument("folder", type=Path, help="which holds the pipeline and its data")
    os.chdir(parser.parse_args().folder)
    runs = [(name, importlib.import_module(module).main, argv) for name, (module, *argv) in commands(Path())]
    seconds = {}
    for name, stage, argv in runs:
        started = time.perf_counter()
        with redirect_stdout(sys.stderr), mock.patch.dict(os.environ):  # an export hides the GPU from its process
            stage(argv)
        seconds[name] = time.perf_counter() - started
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
