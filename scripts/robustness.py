"""Would others say the same? The models of one run before other classifiers, and the same seeds on another machine."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from autoencoder.catalog import METRICS
from autoencoder.comparison import REAL, Models, Rows, metrics_table, spread
from autoencoder.headline import HEADLINE
from autoencoder.verdicts import completeness_verdict, continuity_verdict, pairs
from scripts.machine import in_words
from scripts.seeds import RESULTS

JUDGES = Path("benchmarks/results/judges.json")
SEEDS, ELSEWHERE = RESULTS, RESULTS.with_name("seeds_elsewhere.json")
FAR = 2  # standard deviations over seeds: what is told of by name
JUDGED = "classifier_fid_gmm"  # moves with the classifier even where a model is the same


def judges(models: Models) -> str:
    """What `python -m benchmarks.judges` measured."""
    found = json.loads(JUDGES.read_text())
    rows = found["rows"]
    models = {name: params for name, params in models.items() if name in rows}  # not one that was added since
    if not models:
        return f"Not comparable: {JUDGES} has none of the models of params.yaml."
    count = len(rows[REAL]["coverage_normal"])
    words = _verdicts({f"classifier {index + 1}": _picked(rows, [index]) for index in range(count)}, models)
    shares = {
        (metric.name, name): rows[name][metric.name]
        for metric in METRICS
        for name in models
        if metric.unit == "share" and metric.name in rows[name]
    }
    (figure, model), scores = max(shares.items(), key=lambda item: max(item[1]) - min(item[1]))
    over_seeds = json.loads(SEEDS.read_text())["rows"]
    spreads = [
        (spread(rows[name][figure]), by_seed)
        for figure in HEADLINE
        for name in models
        if figure in rows[name] and (by_seed := spread(over_seeds.get(name, {}).get(figure, [])))
    ]
    larger = sum(judges > seeds for judges, seeds in spreads)
    return (
        f"Judged by {count} classifiers that differ in nothing but their seed, the same models (of seed {found['seed']}) "
        f"score as below, mean ± standard deviation over the classifiers; {words} (`python -m benchmarks.judges`). The "
        f"share that moves most is `{figure}` of `{model}`, from {min(scores):.2f} to {max(scores):.2f}: so much of a "
        f"figure can hang on the classifier. Of the {len(spreads)} headline figures that it judges, and that a seed moves, {larger} scatter "
        f"more over classifiers than over the seeds of a training.\n\n{metrics_table({name: rows[name] for name in (*models, REAL)})}"
    )


def elsewhere(models: Models) -> str:
    """What `make seeds` measured on another machine, beside what it measured on the first, of the seeds that both have."""
    first, other = (json.loads(path.read_text()) for path in (SEEDS, ELSEWHERE))
    seeds = [seed for seed in other["seeds"] if seed in first["seeds"]]
    if first["params_sha256"] != other["params_sha256"] or not seeds:
        return f"Not comparable: {ELSEWHERE} has other parameters or other seeds than {SEEDS}."
    here, there = (_picked(found["rows"], [found["seeds"].index(seed) for seed in seeds]) for found in (first, other))
    alike = [name for name in models if here[name]["reconstruction_mse"] == there[name]["reconstruction_mse"]]
    parts = [
        f"The trainings of the seeds {', '.join(map(str, seeds))}, and the classifier's, were repeated on another machine "
        f"({in_words(other['environment'])}; the first: {in_words(first['environment'])}), by `make seeds` there, whose file "
        f"is kept as `{ELSEWHERE.name}`; {_verdicts({'here': here, 'there': there}, models)}. The table shows what came out there, mean ± "
        "standard deviation over these seeds."
    ]
    if alike:
        parts.append(
            f"Reconstruction errors equal to the last digit, seed by seed: {', '.join(f'`{name}`' for name in alike)}."
        )
    if apart := _apart(first["rows"], here, there, models):
        far = sorted(((by, *key) for key, by in apart.items() if by > FAR), reverse=True)
        parts.append(
            f"Of the {len(apart)} headline figures that differ, and that a seed moves, "
            f"{sum(by <= 1 for by in apart.values())} are there within one standard deviation over seeds of where they are "
            f"here, and {len(far) or 'none'} more than {FAR} away{': ' if far else ''}"
            + "; ".join(
                f"`{figure}` of `{model}`, by {by:.1f} ({_both(there, here, model, figure)})"
                for by, figure, model in far
            )
            + "."
        )
    for name in alike:
        if models[name]["kind"] == "pca":
            parts.append(
                f"What differs of `{name}`, the same model on both, is the other classifier's doing: `{JUDGED}` "
                f"{_both(there, here, name, JUDGED)}."
            )
    return f"{' '.join(parts)}\n\n{metrics_table({name: there[name] for name in (*models, REAL)})}"


def _both(there: Rows, here: Rows, name: str, figure: str) -> str:
    return f"{fmean(there[name][figure]):.3g} there, {fmean(here[name][figure]):.3g} here"


def _apart(first: Rows, here: Rows, there: Rows, models: Models) -> dict[tuple[str, str], float]:
    """Differences of the headline figures' means where they differ, in standard deviations over the first's seeds."""
    found = {}
    for figure in HEADLINE:
        for name in models:
            if (by_seed := spread(first[name].get(figure, []))) and here[name][figure] != there[name][figure]:
                found[figure, name] = abs(fmean(there[name][figure]) - fmean(here[name][figure])) / by_seed
    return found


def _picked(rows: Mapping[str, Mapping[str, Sequence[Any]]], places: Sequence[int]) -> Rows:
    """The values at these places of every figure's list."""
    return {
        name: {figure: [values[place] for place in places] for figure, values in row.items()}
        for name, row in rows.items()
    }


def _verdicts(measurements: Mapping[str, Rows], models: Models) -> str:
    """Whether these measurements, by name, say the same of the claims; if not, which says what."""
    verdicts = {"continuity": continuity_verdict, "completeness": completeness_verdict}
    moved = []
    for pair in pairs(models):
        for claim, verdict in verdicts.items():
            said: dict[str, list[str]] = {}
            for name, rows in measurements.items():
                said.setdefault(verdict(rows, pair)[0], []).append(name)
            if len(said) > 1:
                parts = (f"{words} ({', '.join(names)})" for words, names in said.items())
                moved.append(f"on {claim} in {pair.latent_dim} dimensions, {' or '.join(parts)}")
    return f"not every verdict is the same: {'; '.join(moved)}" if moved else "every verdict is the same"
