"""The report: one page of Markdown that answers the article."""

from autoencoder.baselines import baselines
from autoencoder.claims import caveat, completeness, continuity
from autoencoder.comparison import REAL, Models, Rows, metrics_table
from autoencoder.verdicts import pairs

PAGE = """# Are the latent spaces continuous and complete?

Written by the pipeline's last stage from `details/`: every number and every verdict follows the last `dvc repro`. It is one run with one seed; the README has means and spreads over several, and where a difference is small the two may disagree.

A tutorial on dimensionality reduction makes two claims about a latent space. It is *continuous* if close codes decode to similar images, and *complete* if a code drawn from the chosen distribution decodes to something meaningful. An autoencoder, it says, lacks both; a VAE is trained to have them.

![Continuity and completeness of every model](claims.png)

Grey: PCA; orange: autoencoders; blue: VAEs; squares: the article's networks.

{table}

Arrows point to better; the best value is bold. *Real images*, held out of training, stand in for generated ones: the ceiling, or the noise floor (for acceptance: what the classifier's threshold was set to). What each figure means: docs/metrics.md; how a verdict is reached: docs/results.md.

{caveat}

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
        caveat=caveat(rows),
        continuity="\n\n".join(continuity(rows, pair) for pair in found) or nothing,
        continuity_pictures=_side_by_side(pictures, flat or deepest, ("latent_map", "manifold", "interpolations")),
        completeness="\n\n".join(completeness(rows, pair) for pair in found) or nothing,
        completeness_pictures=_below(pictures, deepest, "samples"),
        baselines="\n\n".join(baselines(rows, models)) or "None of them is in params.yaml.",
        baseline_pictures=_below(pictures, articles, "samples"),
    )


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
