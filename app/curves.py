"""What a training leaves while it runs: curve, pictures and speed, read with care, and how the curve is drawn."""

import csv
import json
import re
from pathlib import Path
from typing import Any

SPLITS = ["validation", "train"]
TERMS = {"loss": "Loss", "reconstruction": "Reconstruction", "kl_divergence": "KL divergence"}


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
