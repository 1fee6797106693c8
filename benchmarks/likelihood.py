"""A likelihood to compare with papers: models of likelihood.yaml through the pipeline, in `.bench/likelihood`.

`python -m benchmarks.likelihood vae_iwae` trains, exports and evaluates, and writes benchmarks/results/likelihood.json.
Stopped and started again, it leaves out finished stages, and a training goes on where it was.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoencoder.config import Parameters
from autoencoder.devices import select_device
from autoencoder.errors import ForeseenError
from autoencoder.files import write_json
from benchmarks.parts import RESULTS, rounded
from benchmarks.pipeline import lay_out_downloaded
from benchmarks.workspace import DATA, require
from scripts.dvc_command import dvc
from scripts.machine import environment

FOLDER = Path(".bench/likelihood")
SETTINGS = Path("benchmarks/likelihood.yaml")
FIGURES = ("nll", "nll_gmm", "elbo", "kl_divergence", "active_units", "parameters")
STAGES = ("train", "export", "evaluate")


def main(argv: list[str] | None = None) -> int:
    """The exit code: that of the first DVC command that fails."""
    settings = Parameters.load(SETTINGS).tree
    parser = argparse.ArgumentParser(prog="python -m benchmarks.likelihood", description=__doc__)
    parser.add_argument("models", nargs="+", choices=list(settings["models"]), help="which of likelihood.yaml")
    wanted = parser.parse_args(argv).models
    require(DATA)
    try:
        machine = environment(select_device(os.environ.get("DEVICE", "auto"))[0])
    except ForeseenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    lay_out_downloaded(FOLDER, DATA)
    params = adapted(Parameters.load(Path("params.yaml")).tree, settings)
    write_json(FOLDER / "params.yaml", params)  # JSON is YAML
    path = RESULTS / "likelihood.json"
    for name in wanted:
        # not from the run cache, which would bring a stage's outputs beside the seconds of another run
        if code := dvc("repro", "--no-run-cache", f"evaluate@{name}", root=FOLDER):
            return code
        results = json.loads(path.read_text()) if path.exists() else {}
        found, known = rounded(measured(name, params)), results.get(name, {})
        unchanged = known.get("seconds") == found["seconds"]  # no stage has run: on the machine that it names
        results[name] = found | {"environment": known["environment"] if unchanged else machine}
        write_json(path, results)
        print(f"{name}: " + ", ".join(f"{figure} {results[name][figure]}" for figure in FIGURES))
    print(f"written to {path}")
    return 0


def adapted(params: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The workspace's parameters with the settings' models, and with what else the settings name."""
    sections = {key: params[key] | values for key, values in settings.items() if key != "models"}
    return {**params, **sections, "models": settings["models"]}


def measured(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """The figures of a finished model, what they depend on, and where and how long its stages ran."""
    details = json.loads((FOLDER / "details" / f"{name}.json").read_text())
    timings = {stage: json.loads((FOLDER / "timings" / f"{stage}_{name}.json").read_text()) for stage in STAGES}
    asked = {"seed": params["seed"], **{key: params["evaluate"][key] for key in ("iwae_samples", "iwae_images")}}
    return {
        **{figure: details[figure] for figure in FIGURES},
        **asked,
        "components": params["density"]["components"],
        **{part: {stage: timing[part] for stage, timing in timings.items()} for part in ("seconds", "device")},
    }


if __name__ == "__main__":
    sys.exit(main())
