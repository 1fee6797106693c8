"""The report: one page of Markdown that answers the article, and the chart at its top."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from autoencoder.charts import STYLE, Picture, drawn
from autoencoder.comparison import REAL, Models, Rows, baselines, completeness, continuity, metrics_table, pairs

SMALLEST = 1e-3  # of what is drawn on a logarithmic axis
COLOURS = {"pca": "#717581", "ae": "#e76300", "vae": "#3f90da"}
LABEL: dict[str, Any] = {"textcoords": "offset points", "size": 8}
PAGE = """# Are the latent spaces continuous and complete?

Written by the pipeline's last stage from `details/`: every number and every verdict follows the last `dvc repro`.

A tutorial on dimensionality reduction makes two claims about a latent space. It is *continuous* if close codes decode to similar images, and *complete* if a code drawn from the chosen distribution decodes to something meaningful. An autoencoder, it says, lacks both; a VAE is trained to have them.

![Continuity and completeness of every model](claims.png)

{table}

Arrows point to better; the best value is bold. *Real images* stand in the place of generated ones: the ceiling, or the noise floor. What each figure means: the README, under *Metrics*.

## Continuity

{continuity}

{continuity_pictures}

## Completeness

{completeness}

{completeness_pictures}

## The article's own networks

{baselines}

{baseline_pictures}
"""


def page(rows: Rows, models: Models, pictures: str) -> str:
    """The report as Markdown.

    Args:
        rows: model (and `real`) -> metric -> its values.
        models: as in params.yaml.
        pictures: where `<model>/<picture>.png` lie, seen from the page.
    """
    found = pairs(models)
    articles = [name for name, params in models.items() if params["kind"].endswith("_article")]
    nothing = "No two models in params.yaml are an autoencoder and a VAE of the same size: there is nothing to compare."
    flat = [name for pair in found if pair.latent_dim == 2 for name in (pair.ae, pair.vae)]
    deepest = [found[-1].ae, found[-1].vae] if found else []
    return PAGE.format(
        table=metrics_table({name: rows[name] for name in (*models, REAL)}),
        continuity="\n\n".join(continuity(rows, pair) for pair in found) or nothing,
        continuity_pictures=_side_by_side(pictures, flat or deepest, ("latent_map", "manifold", "interpolations")),
        completeness="\n\n".join(completeness(rows, pair) for pair in found) or nothing,
        completeness_pictures=_below(pictures, deepest, "samples"),
        baselines="\n\n".join(baselines(rows, models)) or "None of them is in params.yaml.",
        baseline_pictures=_below(pictures, articles, "samples"),
    )


def claims_chart(rows: Rows, models: Mapping[str, Mapping[str, Any]]) -> Picture:
    """Both claims at a glance: small steps on the left, samples on the right."""
    with rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name, params in models.items():
            row = {key: fmean(values) for key, values in rows[name].items()}
            colour = COLOURS[params["kind"].removesuffix("_article")]
            marker = "s" if params["kind"].endswith("_article") else "o"
            place = np.maximum((row["normalized_path_length"], row["label_flip_rate"]), SMALLEST)
            left.plot(*place, marker, color=colour)
            # on the side where the other kind has none: these two are often neighbours
            left.annotate(
                name, place, (-6, 4) if marker == "s" else (5, 4), **LABEL, ha="right" if marker == "s" else "left"
            )
            ends = [(row[f"prior_acceptance_{prior}"], row[f"coverage_{prior}"]) for prior in ("normal", "gmm")]
            right.plot(*zip(*ends, strict=True), "-", color=colour, linewidth=0.8, alpha=0.6)
            right.plot(*ends[0], marker, color=colour)
            right.plot(*ends[1], marker, color=colour, markerfacecolor="white")
            right.annotate(name, ends[0], (5, 4), **LABEL)
        real = {key: fmean(values) for key, values in rows[REAL].items()}
        place = (real["prior_acceptance_normal"], real["coverage_normal"])
        right.plot(*place, "*", color="black", markersize=11)
        right.annotate("real images", place, (-7, -3), **LABEL, ha="right")
        right.plot([], [], "o", color="black", label="from N(0, I)")
        right.plot([], [], "o", color="black", markerfacecolor="white", label="from a fitted mixture")
        right.legend(loc="upper left")
        left.set(xscale="log", xlabel="normalized_path_length: how far a small step moves the picture")
        left.set(yscale="log", ylabel="label_flip_rate: how often it changes the digit")
        left.set_title("Continuity: lower left is better")
        left.margins(0.2)
        for axis in (left.xaxis, left.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        right.set(xlim=(0, 1), ylim=(0, 1), xlabel="prior_acceptance: share of samples that are digits beyond doubt")
        right.set(ylabel="coverage: share of test images that a sample comes near")
        right.set_title("Completeness: upper right is better")
        return drawn(figure)


def _side_by_side(folder: str, models: list[str], pictures: tuple[str, ...]) -> str:
    rows = [
        " ".join(
            f'<img src="{folder}/{model}/{picture}.png" width="49%" alt="{picture} of {model}">' for model in models
        )
        for picture in pictures
        if models
    ]
    return "\n\n".join(rows)


def _below(folder: str, models: list[str], picture: str) -> str:
    return "\n\n".join(f"![{picture} of {model}]({folder}/{model}/{picture}.png)" for model in models)
