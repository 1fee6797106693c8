"""Models side by side in one table, best values in bold.

Every figure is a list with one value per seed; bold type follows the means.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from autoencoder.catalog import BY_NAME, METRICS, Metric
from autoencoder.headline import HEADLINE

REAL = "real"  # the row of real images
ARROWS = {"lower": " ↓", "higher": " ↑", "neither": ""}

Rows = Mapping[str, Mapping[str, Sequence[float | int]]]
Models = Mapping[str, Mapping[str, Any]]


def metrics_table(rows: Rows) -> str:
    """The headline figures that there are, one column per model and one for real images; arrows point to better."""
    best = best_values(rows)
    lines = []
    for metric in measured([BY_NAME[name] for name in HEADLINE], rows):
        cells = [f"{metric.name}{ARROWS[metric.better]}"]
        for name, row in rows.items():
            text = shown(row[metric.name]) if metric.name in row else ""
            bold = text and name != REAL and fmean(row[metric.name]) == best.get(metric.name)
            cells.append(f"**{text}**" if bold else text)
        lines.append(cells)
    return table(["", *(f"`{name}`" if name != REAL else "real images" for name in rows)], lines)


def measured(metrics: Iterable[Metric], rows: Rows) -> list[Metric]:
    """Those of these metrics of which there is a figure."""
    known = {name for row in rows.values() for name in row}
    return [metric for metric in metrics if metric.name in known]


def best_values(rows: Rows) -> dict[str, float]:
    """Of every metric that has a direction, the best mean; real images do not compete."""
    best = {}
    for metric in METRICS:
        found = [fmean(row[metric.name]) for name, row in rows.items() if name != REAL and metric.name in row]
        if found and metric.better != "neither":
            best[metric.name] = min(found) if metric.better == "lower" else max(found)
    return best


def as_rows(details: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, list[float | int]]]:
    """Rows of one value each, from the contents of details/<model>.json; lists and hashes are left out."""
    return {
        name: {key: [value] for key, value in figures.items() if isinstance(value, int | float)}
        for name, figures in details.items()
    }


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = True) -> str:
    """A Markdown table; all columns but the first to the right, where they hold `numbers`."""
    rule = ["---", *(["---:" if numbers else "---"] * (len(header) - 1))]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, rule, *escaped])


def shown(values: Sequence[float | int]) -> str:
    """One value as it is, a count in full; of several, mean ± standard deviation, rounded as the Particle Data Group does.

    To two digits of the deviation where it begins with 100 to 354, else to one. It does not part from its sign.
    """
    deviation = spread(values)
    if not deviation:
        return f"{values[0]:,}" if isinstance(values[0], int) else f"{values[0]:g}"
    magnitude = math.floor(math.log10(deviation))
    digits = 2 if deviation < 3.55 * 10**magnitude else 1
    decimals = max(0, digits - 1 - magnitude)
    return f"{fmean(values):.{decimals}f} ±\N{NO-BREAK SPACE}{deviation:.{decimals}f}"


def spread(values: Sequence[float | int]) -> float:
    """The standard deviation; 0 where one value, or none, tells of none."""
    return stdev(values) if len(values) > 1 else 0.0


def mean(rows: Rows, model: str, name: str) -> float:
    """Of a model's figure, over the seeds."""
    return fmean(rows[model][name])


def percent(share: float) -> str:
    """A share of one in words, with a digit behind the point where it is small."""
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
