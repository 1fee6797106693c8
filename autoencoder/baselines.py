"""What the figures say of the article's own networks, in words. Other numbers make other sentences."""

from collections.abc import Mapping
from typing import Any

from autoencoder.comparison import Models, Rows, mean, percent

ARTICLE_LATENT_DIM = {"ae_article": 20, "vae_article": 10}


def baselines(rows: Rows, models: Models) -> list[str]:
    """The article's networks beside PCA and beside ours of the same kind, a paragraph each."""
    return [_told(rows, models, name) for name, params in models.items() if params["kind"] in ARTICLE_LATENT_DIM]


def _told(rows: Rows, models: Models, name: str) -> str:
    params = models[name]
    kind, latent_dim = params["kind"].removesuffix("_article"), ARTICLE_LATENT_DIM[params["kind"]]
    error, active = mean(rows, name, "reconstruction_mse"), mean(rows, name, "active_units")
    text = f"`{name}`: test MSE {error:.3g}"
    if kind == "vae":
        drawn = mean(rows, name, "reconstruction_mse_sampled")
        text += f" ({drawn:.3g} decoding a posterior sample, as in training, instead of the mean)"
    pcas = [(other, theirs["latent_dim"]) for other, theirs in models.items() if theirs["kind"] == "pca"]
    for pca, components in pcas[:1]:
        floor = mean(rows, pca, "reconstruction_mse")
        text += f", {'worse' if error > floor else 'better'} than PCA with {components} components ({floor:.3g}"
        text += ")" if components == latent_dim else f"; the network has {latent_dim} dimensions)"
    text += f"; {active:.3g} of its {latent_dim} dimensions are in use"
    text += ", **the others have collapsed**" if active < latent_dim / 2 else ""
    for other, theirs in models.items():
        if theirs["kind"] == kind and theirs["latent_dim"] >= latent_dim:
            text += f". {_beside(rows, other, theirs, name, params, latent_dim)}"
    normal, mixture = (percent(mean(rows, name, f"coverage_{prior}")) for prior in ("normal", "gmm"))
    return f"{text}. Samples of `{name}` from N(0, I) cover {normal} of the test images, from the mixture {mixture}."


def _beside(
    rows: Rows, ours: str, our_params: Mapping[str, Any], its: str, its_params: Mapping[str, Any], its_dim: int
) -> str:
    """Ours and the article's: in what they differ in size, and who is ahead."""
    figures = ("classifier_fid_gmm", "classifier_fid_reconstruction")
    values = {figure: (mean(rows, ours, figure), mean(rows, its, figure)) for figure in figures}
    ahead = all(one < other for one, other in values.values())
    words = " and ".join(f"`{figure}` {one:.3g} against {other:.3g}" for figure, (one, other) in values.items())
    size, its_size = (mean(rows, model, "parameters") / 1e6 for model in (ours, its))
    dims = ("", "")
    if our_params["latent_dim"] != its_dim:
        dims = (f"{our_params['latent_dim']} dimensions, ", f"{its_dim}, ")
    return (
        f"`{ours}`, with {dims[0]}{size:.2g} million parameters and {our_params['epochs']} epochs instead of "
        f"{dims[1]}{its_size:.2g} million and {its_params['epochs']}, is {'ahead' if ahead else '**not** ahead in both'}: "
        f"{words}"
    )
