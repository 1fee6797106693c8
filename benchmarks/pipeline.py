"""The whole pipeline in a folder of its own: from scratch, again, with one number changed, and changed back."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.dvc_command import dvc, lay_out


def from_scratch(folder: Path, data: Path) -> dict[str, Any]:
    """Wall seconds of `dvc repro` without the download, and what its stages say of themselves."""
    lay_out_downloaded(folder, data)
    wall = _repro(folder)
    stages = {path.stem: json.loads(path.read_text()) for path in sorted((folder / "timings").glob("*.json"))}
    return {
        "wall_seconds": wall,
        "compute_seconds": sum(stage["seconds"] for stage in stages.values()),
        "stages": stages,
        "metrics": {path.stem: json.loads(path.read_text()) for path in (folder / "metrics").glob("*.json")},
    }


def lay_out_with_data(folder: Path, data: Path) -> None:
    """The pipeline in a folder of its own, with the workspace's data; DVC does not know them yet."""
    lay_out(folder)
    (folder / "data").mkdir(exist_ok=True)
    shutil.copy2(data, folder / "data" / data.name)


def lay_out_downloaded(folder: Path, data: Path) -> None:
    """The same, and for DVC the data are what `download` has written there."""
    lay_out_with_data(folder, data)
    if dvc("commit", "--force", "download", root=folder, quiet=True):
        raise RuntimeError("dvc commit failed")


def changes(folder: Path) -> dict[str, float]:
    """After `from_scratch`: seconds of `dvc repro` with nothing changed, `models.vae.beta` doubled, and put back."""
    seconds = {"nothing": _repro(folder)}
    yaml = YAML()
    original = (folder / "params.yaml").read_text()
    params = yaml.load(original)
    params["models"]["vae"]["beta"] *= 2
    with (folder / "params.yaml").open("w") as file:
        yaml.dump(params, file)
    seconds["one_number"] = _repro(folder)
    (folder / "params.yaml").write_text(original)
    seconds["put_back"] = _repro(folder)
    return seconds


def _repro(folder: Path) -> float:
    started = time.perf_counter()
    if dvc("repro", root=folder, quiet=True):
        raise RuntimeError(f"dvc repro failed in {folder}")
    return time.perf_counter() - started
