"""What a training leaves while it runs: curve, pictures and speed, read with care; whether it runs; its chart."""

import csv
import json
import re
import time
from pathlib import Path
from typing import Any

from artifacts import Workspace
from opened import stamp

SPLITS = ["validation", "train"]
TERMS = {"loss": "Loss", "reconstruction": "Reconstruction", "kl_divergence": "KL divergence"}
# For how long after an epoch the next is waited for, before a training counts as stopped.
LEAST_SECONDS = 90
EPOCHS = 3  # as long as the last one
FIRST_SECONDS = 600  # while there is but one, which says nothing of their length
AT_ONCE = 0.05  # seconds between pictures: so fast they are written again by a training that goes on after a stop


def curve_path(workspace: Workspace, name: str) -> Path:
    """The curve that training rewrites after every epoch."""
    return workspace.root / "plots" / name / "loss.csv"


def written(workspace: Workspace, name: str) -> int:
    """When the curve last changed; 0 where there is none."""
    found = stamp(curve_path(workspace, name))
    return found[1] if found else 0


def first_picture(workspace: Workspace, name: str) -> int:
    """When this training finished its first epoch: what was noted before is another one's."""
    found = stamp(workspace.root / "models" / name / "epochs" / "epoch_0001.png")
    return found[1] if found else 0


def patience(workspace: Workspace, name: str) -> float:
    """For how many seconds an unfinished curve may rest and still be going on."""
    pictures = read_pictures(workspace.root / "models" / name / "epochs").values()
    times = [found[1] / 1e9 for path in pictures if (found := stamp(path))]
    if len(times) < 2 or times[-1] - times[0] < AT_ONCE * len(times):
        return FIRST_SECONDS
    return max(LEAST_SECONDS, EPOCHS * (times[-1] - times[-2]))


def is_running(workspace: Workspace, name: str) -> bool:
    """Whether this training's curve is unfinished, and has grown not long ago."""
    epoch = max((row["epoch"] for row in read_curve(curve_path(workspace, name))), default=0)
    age = time.time() - written(workspace, name) / 1e9
    return 0 < epoch < workspace.models[name].get("epochs", 0) and age < patience(workspace, name)


def read_curve(path: Path) -> list[dict[str, Any]]:
    """The rows that are whole: the file may be absent, empty, or cut in the middle of a number."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return []
    rows = []
    for row in csv.DictReader(text[: text.rfind("\n") + 1].splitlines()):
        try:
            values = {term: float(row[term]) for term in TERMS if row.get(term)}
            rows.append({"epoch": int(row["epoch"]), "split": row["split"], **values})
        except (KeyError, TypeError, ValueError):
            continue
    return rows


def read_timings(path: Path, since: int) -> dict[str, str]:
    """What a training says of its speed, in words; nothing where it has not said anything since (nanoseconds)."""
    try:
        if path.stat().st_mtime_ns < since:
            return {}
        found = json.loads(path.read_text())
        words = {"device": str(found["device"]), "images_per_second": f"{found['images_per_second']:,.0f} images/s"}
        if "seconds_left" in found:
            minutes, seconds = divmod(round(found["seconds_left"]), 60)
            words["seconds_left"] = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return words


def read_pictures(folder: Path) -> dict[int, Path]:
    """Epoch -> its picture."""
    found = ((re.fullmatch(r"epoch_(\d+)\.png", path.name), path) for path in folder.glob("epoch_*.png"))
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def chart(rows: list[dict[str, Any]], term: str) -> dict[str, Any]:
    """The curve of one term as a Vega-Lite specification: training dashed and grey, validation solid."""
    epochs = {"tickMinStep": 1, "format": "d", "grid": False}
    splits = {"field": "split", "type": "nominal", "title": None}
    legend = {"orient": "top-right", "symbolType": "stroke", "symbolSize": 500, "symbolStrokeWidth": 2}
    return {
        "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 26, "filled": True} if len(rows) <= 80 else False},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "axis": epochs, "scale": {"zero": False, "nice": False}},
            "y": {"field": term, "type": "quantitative", "title": None, "scale": {"zero": False}},
            "color": {**splits, "scale": {"domain": SPLITS, "range": ["#1d9a8b", "#8b969c"]}, "legend": legend},
            "strokeDash": {**splits, "scale": {"domain": SPLITS, "range": [[1, 0], [5, 4]]}},
            "tooltip": [{"field": "epoch"}, {"field": "split"}, {"field": term, "format": ".5g"}],
        },
    }
