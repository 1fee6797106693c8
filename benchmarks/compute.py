"""What a `dvc repro` computes, without what its processes take to start: all stages, one after another in this one.

Runs the commands of dvc.yaml and prints the seconds of each as JSON. What a stage says goes to standard error.
"""

import argparse
import importlib
import json
import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

from autoencoder.config import Parameters
from scripts.dvc_command import commands

DOWNLOAD = "download"  # its output is there already


def main() -> None:
    """Import all stages, then run them in the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compute", description=__doc__)
    parser.add_argument("folder", type=Path, help="which holds the pipeline and its data")
    os.chdir(parser.parse_args().folder)
    found = commands(Path("dvc.yaml"), Parameters.load(Path("params.yaml")).tree)
    runs = [
        (name.replace("@", "_"), importlib.import_module(module).main, argv)
        for name, (module, *argv) in found.items()
        if name != DOWNLOAD
    ]
    seconds = {}
    for name, stage, argv in runs:
        started = time.perf_counter()
        with redirect_stdout(sys.stderr), mock.patch.dict(os.environ):  # an export hides the GPU from its process
            stage(argv)
        seconds[name] = time.perf_counter() - started
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
