"""`make seeds`: the comparison over several seeds, each an experiment of DVC's; prints mean ± standard deviation.

`python -m scripts.seeds 0 1 2` writes benchmarks/results/seeds.json, from which README's headline table is made. The
file of another machine, kept as seeds_elsewhere.json beside it, gives docs/results.md what a machine changes.
Finished stages are in DVC's run cache: stopped and started again, it goes on with the stage it was in.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autoencoder.comparison import REAL, as_rows, metrics_table
from autoencoder.config import Parameters
from autoencoder.devices import select_device
from autoencoder.errors import ForeseenError
from autoencoder.files import write_json
from scripts.check_params import refused
from scripts.dvc_command import dvc, inside_git, settle_git
from scripts.machine import environment

RESULTS = Path("benchmarks/results/seeds.json")
SEEDS = (0, 1, 2, 3, 4)


def main(argv: list[str] | None = None) -> int:
    """The exit code: that of the first DVC command that fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seeds", nargs="*", type=int, default=SEEDS)
    seeds = tuple(dict.fromkeys(parser.parse_args(argv).seeds))  # one that is named twice counts once
    if refused():
        return 1
    if not inside_git():
        print("error: experiments need git: git init && git add -A && git commit -m start", file=sys.stderr)
        return 1
    try:
        device, _ = select_device(os.environ.get("DEVICE", "auto"))
    except ForeseenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    settle_git()
    params = Parameters.load(Path("params.yaml")).tree
    names = [*params["models"], REAL]
    rows: dict[str, dict[str, list[float | int]]] = {name: {} for name in names}
    for seed in seeds:
        print(f"seed {seed}", flush=True)
        if seed == params["seed"]:
            code, read = dvc("repro"), of_workspace()
        else:
            experiment = f"seed-{seed}"
            if reference(experiment):  # of an earlier comparison; `run --force` would repeat every stage
                dvc("exp", "remove", experiment)
            code = dvc("exp", "run", "--temp", "--name", experiment, "--set-param", f"seed={seed}")
            read = of_experiment(experiment)
        if code:
            return code
        for name, row in as_rows({name: json.loads(read(f"details/{name}.json")) for name in names}).items():
            for metric, values in row.items():
                rows[name].setdefault(metric, []).extend(values)
    of = {"environment": environment(device), "params_sha256": apart_from_seed(params), "seeds": list(seeds)}
    write_json(RESULTS, {**of, "rows": rows})
    print(f"\n{metrics_table(rows)}\n\nseeds {', '.join(map(str, seeds))}; all figures: {RESULTS}")
    return 0


def apart_from_seed(params: Mapping[str, Any]) -> str:
    """A hash of all parameters but the seed and the mirrors: results with the same one can be compared."""
    data = {key: value for key, value in params["data"].items() if key != "mirrors"}  # the files are the same anywhere
    others = {key: value for key, value in params.items() if key != "seed"} | {"data": data}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def of_workspace() -> Callable[[str], str]:
    """Reads files as they lie here."""
    return lambda path: Path(path).read_text()


def of_experiment(name: str) -> Callable[[str], str]:
    """Reads files of the commit in which DVC keeps an experiment."""
    return lambda path: git("show", f"{reference(name)}:./{path}")  # ./: this may be a folder of a larger repository


def reference(name: str) -> str | None:
    """Where git keeps an experiment, if there is one of this name."""
    found = git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/exps").split()
    return next((ref for ref in found if ref.endswith(f"/{name}")), None)


def git(*arguments: str) -> str:
    """What git prints."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
