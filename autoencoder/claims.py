"""What the figures say of the two claims, and of the article's own networks, in words.

Verdicts follow the means over seeds. Nothing here is typed in: other numbers make other sentences.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from autoencoder.catalog import BY_NAME
from autoencoder.comparison import ARROWS, REAL, Models, Rows, table

ARTICLE_LATENT_DIM = {"ae_article": 20, "vae_article": 10}
CLEARLY = 1.5  # times better: what is called a difference
AHEAD = 0.02  # of the scale of a figure, and more than two standard errors: what is called ahead
AHEAD_IN_ONE = 0.05  # the same where there is one seed: more than the standard deviation of most over seeds
NEARLY = 0.8  # of the other's value: what is called nearly as good
ALL_DIGITS = 9.9  # of ten: what is called all of them
# what each claim is told by
STEPPED = {
    "label_flip_rate": "small steps in the latent space that change the decoded digit",
    "normalized_path_length": "squared distance they move the image in classifier features",
}
SAMPLED = {
    "prior_acceptance_normal": "accepted samples from N(0, I)",
    "digits_drawn_normal": "effective number of digits drawn, of ten",
    "coverage_normal": "test images that samples cover",
}
BESIDE = {  # decides nothing
    "label_flip_rate_iqr": "for context: digits changed by steps that outlying codes do not inflate",
    "midpoint_acceptance": "for context: accepted images halfway between two test images",
    "coverage_gmm": "for context: test images covered by samples from a mixture fitted to each model's codes",
}
SCALES = {"share": 1.0, "digits": 10.0}  # the most that figures in this unit can be


@dataclass(frozen=True)
class Pair:
    """An autoencoder and a VAE of the same network and latent size; how they were trained may differ."""

    ae: str
    vae: str
    latent_dim: int


def pairs(models: Models) -> list[Pair]:
    """Every VAE with the autoencoder of the same size, fewest latent dimensions first."""
    found = [
        Pair(ae, vae, params["latent_dim"])
        for vae, params in models.items()
        for ae, other in models.items()
        if params["kind"] == "vae"
        and other["kind"] == "ae"
        and all(key in params and other.get(key) == params[key] for key in ("latent_dim", "network"))
    ]
    return sorted(found, key=lambda pair: pair.latent_dim)


def claims_table(rows: Rows, models: Models) -> str:
    """Both claims at a glance: a column per pair, the autoencoder's figure before the arrow and the VAE's behind it."""
    found = pairs(models)
    lines = [
        *_from_to(rows, found, STEPPED),
        ["**more continuous in small steps?**", *(f"**{continuity_verdict(rows, pair)[0]}**" for pair in found)],
        *_from_to(rows, found, SAMPLED),
        ["**more complete?**", *(f"**{completeness_verdict(rows, pair)[0]}**" for pair in found)],
        *_from_to(rows, found, BESIDE),
    ]
    return table(["", *(f"{pair.latent_dim} dimensions, `{pair.ae}` → `{pair.vae}`" for pair in found)], lines)


def _from_to(rows: Rows, found: list[Pair], figures: dict[str, str]) -> Iterator[list[str]]:
    for name, words in figures.items():
        show = _percent if BY_NAME[name].unit == "share" else "{:.3g}".format
        cells = (" → ".join(map(show, _both(rows, pair, name))) for pair in found)
        yield [f"{words} (`{name}`{ARROWS[BY_NAME[name].better]})", *cells]


def continuity_verdict(rows: Rows, pair: Pair) -> tuple[str, str]:
    """Whether the VAE's latent space is the more continuous one, and what the figures say."""
    # among figures that a classifier judges there is no such number
    unused = [f"`{name}`" for name in (pair.ae, pair.vae) if fmean(rows[name].get("active_units", [1])) < 1]
    if unused:
        return (
            "undecided",
            f"without a dimension in use, {' and '.join(unused)} draws much the same picture everywhere",
        )
    ratios = [_times(*_both(rows, pair, name)) for name in STEPPED]
    clearer = [
        "the VAE" if ratio >= CLEARLY else "the autoencoder" if ratio <= 1 / CLEARLY else "neither" for ratio in ratios
    ]
    if min(ratios) >= CLEARLY:
        times = f", by {ratios[0]:.1f} and {ratios[1]:.1f} times" if max(ratios) < math.inf else ""
        return "the claim holds", f"the VAE is the more continuous{times}"
    if max(ratios) <= 1 / CLEARLY:
        return "the opposite holds", "the autoencoder is the more continuous"
    if max(ratios) <= 1:
        back = [_times(*reversed(_both(rows, pair, name))) for name in STEPPED]
        times = f", by {back[0]:.1f} and {back[1]:.1f} times" if max(back) < math.inf else ""
        return "the claim does not hold", f"in small steps the autoencoder is at least as continuous as the VAE{times}"
    if "the VAE" not in clearer and "the autoencoder" in clearer:
        number = "first" if clearer[0] == "the autoencoder" else "second"
        return "the claim does not hold", f"by the {number} figure the autoencoder is the more continuous"
    if set(clearer) == {"neither"}:
        return "the claim does not hold", "in small steps the autoencoder is about as continuous as the VAE"
    return (
        "the claim holds in part",
        f"by the first figure {clearer[0]} is the more continuous, by the second {clearer[1]}",
    )


def continuity(rows: Rows, pair: Pair) -> str:
    """Is the VAE's latent space the more continuous one? In a paragraph."""
    flips, lengths, middles, ends = (
        _both(rows, pair, name)
        for name in ("label_flip_rate", "normalized_path_length", "midpoint_acceptance", "reconstruction_acceptance")
    )
    verdict, reason = continuity_verdict(rows, pair)
    small_flips, small_lengths = (
        _both(rows, pair, name) for name in ("label_flip_rate_iqr", "normalized_path_length_iqr")
    )
    times = [_times(*flips), _times(*lengths)]
    unstretched = [_times(*small_flips), _times(*small_lengths)]
    halved = all(small - 1 < (large - 1) / 2 for large, small in zip(times, unstretched, strict=True))
    far = ""
    if min(times) >= CLEARLY and halved:
        far = (
            f" ({unstretched[0]:.1f} and {unstretched[1]:.1f} times{_by_seed(rows, pair)}): codes that lie far out stretch "
            "the standard deviation, and with it the step"
        )
    ahead = {1: "the VAE is ahead", -1: "the autoencoder is ahead", 0: "neither is ahead"}
    return (
        f"In {pair.latent_dim} dimensions (`{pair.ae}`, `{pair.vae}`) a small step in the latent space changes the "
        f"decoded digit {_percent(flips[0])} of the time in the autoencoder and {_percent(flips[1])} in the VAE "
        f"(`label_flip_rate`), and how far it moves the picture, squared (`normalized_path_length`), is {lengths[0]:.3g} and "
        f"{lengths[1]:.3g}, so **{verdict}**: {reason}. With steps measured by the interquartile range of the codes instead of their "
        f"standard deviation (`_iqr`) the digit changes {_percent(small_flips[0])} and {_percent(small_flips[1])} of the time, "
        f"and the path lengths are {small_lengths[0]:.3g} and {small_lengths[1]:.3g}{far}. Halfway between two images the classifier is sure of "
        f"{_percent(middles[0])} and {_percent(middles[1])} (`midpoint_acceptance`; of reconstructed images "
        f"{_percent(ends[0])} and {_percent(ends[1])}): "
        f"{ahead[_ahead(rows, pair, 'midpoint_acceptance')]}."
    )


def _by_seed(rows: Rows, pair: Pair) -> str:
    """From least to most of the seeds, how many times smaller the VAE's figures of steps by interquartile range are."""
    found = [
        sorted(map(_times, rows[pair.ae][name], rows[pair.vae][name]))
        for name in ("label_flip_rate_iqr", "normalized_path_length_iqr")
    ]
    words = " and ".join(f"{times[0]:.1f} to {times[-1]:.1f}" for times in found)
    return f"; seed by seed {words}" if len(found[0]) > 1 else ""


def completeness_verdict(rows: Rows, pair: Pair) -> tuple[str, str]:
    """Whether more of the VAE's samples from N(0, I) mean something, and in how many figures."""
    ahead = [_ahead(rows, pair, name) for name in SAMPLED]
    if min(ahead) == 1:
        verdict = "the claim holds"
    elif max(ahead) == -1:
        verdict = "the opposite holds"
    else:
        verdict = "the claim holds in part" if ahead.count(1) > ahead.count(-1) else "the claim does not hold"
    return verdict, _lead(ahead)


def _lead(ahead: list[int]) -> str:
    """In how many of three figures which of the two is ahead."""
    if min(ahead) == 1:
        return "the VAE is ahead in all three"
    if max(ahead) == -1:
        return "the autoencoder is ahead in all three"
    words = f"the VAE is ahead in {ahead.count(1) or 'none'} of the three"
    return f"{words}, the autoencoder in {ahead.count(-1)}" if -1 in ahead else words


def completeness(rows: Rows, pair: Pair) -> str:
    """Do more of the VAE's samples from N(0, I) mean something, and does a fitted density change that?"""
    accepted, digits, covered = (_both(rows, pair, name) for name in SAMPLED)
    readable, reached = (_both(rows, pair, name) for name in ("reconstruction_acceptance", "coverage_reconstruction"))
    verdict, reason = completeness_verdict(rows, pair)
    text = (
        f"In {pair.latent_dim} dimensions the classifier is sure of {_percent(accepted[0])} of the "
        f"autoencoder's N(0, I) samples and {_percent(accepted[1])} of the VAE's (`prior_acceptance_normal`; of their "
        f"reconstructions {_percent(readable[0])} and {_percent(readable[1])}); {digits[0]:.1f} and {digits[1]:.1f} of the "
        f"ten digits are among them (`digits_drawn_normal`, the effective number); and they cover "
        f"{_percent(covered[0])} and {_percent(covered[1])} of the test images (`coverage_normal`; reconstructions "
        f"{_percent(reached[0])} and {_percent(reached[1])}), so **{verdict}**: {reason}. "
    )
    cost = _mean(rows, pair.vae, "nll") - _mean(rows, pair.vae, "nll_gmm")
    fitted, distance = (_both(rows, pair, name) for name in ("coverage_gmm", "classifier_fid_gmm"))
    more = _apart(rows[pair.ae]["coverage_gmm"], rows[pair.vae]["coverage_normal"], SCALES["share"])
    beside = {-1: "more than", 0: "about as many as", 1: "less than"}[more]
    text += (
        f"From a Gaussian with the mean and covariance of its codes instead of N(0, I), the autoencoder covers "
        f"{_percent(_mean(rows, pair.ae, 'coverage_gaussian'))}: that much is due to where its codes lie and how far "
        f"they spread. Against a mixture fitted to the training codes, N(0, I) costs the VAE {cost:.2g} nats per image "
        f"(`nll` less `nll_gmm`; a finer mixture finds more): from the mixture it covers {_percent(fitted[1])}, and its `classifier_fid` is {distance[1]:.3g} "
        f"instead of {_mean(rows, pair.vae, 'classifier_fid_normal'):.3g}. From a mixture fitted to its own codes the "
        f"autoencoder covers {_percent(fitted[0])}, {beside} the VAE from N(0, I), at a `classifier_fid` of {distance[0]:.3g}"
    )
    if fitted[0] >= NEARLY * fitted[1] and _ahead(rows, pair, "coverage_normal") == 1:
        text += (
            ": its space can be sampled too, once a density has been fitted to the codes; the VAE's is known beforehand"
        )
    ahead = [_ahead(rows, pair, name.replace("normal", "gmm")) for name in SAMPLED]
    drawn = min(_both(rows, pair, "digits_drawn_gmm"))
    full = " (both draw all ten digits alike, which none can exceed)" if drawn > ALL_DIGITS else ""
    return f"{text}. With each sampled from its own fitted mixture, {_lead(ahead)} figures{full}."


def rules() -> str:
    """How a verdict is reached."""
    return (
        f"Continuity is told by the two figures of small steps: the claim *holds* where both are at least {CLEARLY:g} times "
        f"better in the VAE (of the second, a square: {math.sqrt(CLEARLY):.1f} times the distance), *in part* where one is, and the *opposite* holds where both are at least as much better in the "
        "autoencoder; for a model with no dimension in use, which draws one image everywhere, it is *undecided*. "
        "Completeness is judged by three metrics of N(0, I) samples: the claim holds where the VAE is *ahead* "
        "in all of them, in part where it is ahead in more of them than the autoencoder, and the opposite holds where the "
        "autoencoder is ahead in all. Ahead is a lead of more than "
        f"{AHEAD:.0%} of the scale (of digits: {AHEAD * SCALES['digits']:g}) and of more than two standard errors of the "
        f"difference of the means over the seeds; of one run alone, of more than {AHEAD_IN_ONE:.0%}. Seeds vary the training "
        f"alone: the classifier and all that is drawn are the same for every seed and model. Ahead need not mean complete, nor "
        f"{CLEARLY:g} times better continuous: the real-image metrics show how far there is to go."
    )


def caveat(rows: Rows) -> str:
    """What the acceptance of samples is worth: the classifier on images that are no digits."""
    right, blends, noise = (
        _mean(rows, REAL, name) for name in ("classifier_accuracy", "blend_acceptance", "noise_acceptance")
    )
    return (
        f"The classifier reads {right:.2%} of the test images right, but has seen nothing but digits: it is also sure of "
        f"{_percent(blends)} of the pixel averages of two different digits and of {_percent(noise)} of images of uniform "
        "noise. Acceptance means that it is sure, not that there is a digit; a model that always drew the same digit "
        "could score best: read it with `digits_drawn` and `coverage`."
    )


def baselines(rows: Rows, models: Models) -> list[str]:
    """The article's networks beside ours of the same kind, one sentence each, and beside PCA."""
    sentences = []
    for name, params in models.items():
        if params["kind"] not in ARTICLE_LATENT_DIM:
            continue
        kind, latent_dim = params["kind"].removesuffix("_article"), ARTICLE_LATENT_DIM[params["kind"]]
        text = f"`{name}`: test MSE {_mean(rows, name, 'reconstruction_mse'):.3g}"
        if kind == "vae":
            drawn = _mean(rows, name, "reconstruction_mse_sampled")
            text += f" ({drawn:.3g} decoding a posterior sample, as in training, instead of the mean)"
        pcas = [other for other, theirs in models.items() if theirs["kind"] == "pca"]
        if pcas:
            error = _mean(rows, pcas[0], "reconstruction_mse")
            worse = _mean(rows, name, "reconstruction_mse") > error
            dims = models[pcas[0]]["latent_dim"]
            text += f", {'worse' if worse else 'better'} than PCA with {dims} components ({error:.3g}"
            text += ")" if dims == latent_dim else f"; the network has {latent_dim} dimensions)"
        active = _mean(rows, name, "active_units")
        text += f"; {active:.3g} of its {latent_dim} dimensions are in use"
        text += ", **the others have collapsed**" if active < latent_dim / 2 else ""
        for other, theirs in models.items():
            if theirs["kind"] == kind and theirs["latent_dim"] >= latent_dim:
                figures = ("classifier_fid_gmm", "classifier_fid_reconstruction")
                values = {figure: (_mean(rows, other, figure), _mean(rows, name, figure)) for figure in figures}
                ahead = all(ours < articles for ours, articles in values.values())
                words = " and ".join(f"`{key}` {ours:.3g} against {its:.3g}" for key, (ours, its) in values.items())
                size, its_size = (_mean(rows, model, "parameters") / 1e6 for model in (other, name))
                dims = ("", "")
                if theirs["latent_dim"] != latent_dim:
                    dims = (f"{theirs['latent_dim']} dimensions, ", f"{latent_dim}, ")
                text += (
                    f". `{other}`, with {dims[0]}{size:.2g} million parameters and {theirs['epochs']} epochs instead of "
                    f"{dims[1]}{its_size:.2g} million and {params['epochs']}, is {'ahead' if ahead else '**not** ahead in both'}: {words}"
                )
        normal, mixture = (_percent(_mean(rows, name, f"coverage_{prior}")) for prior in ("normal", "gmm"))
        sentences.append(
            f"{text}. Samples of `{name}` from N(0, I) cover {normal} of the test images, from the mixture {mixture}."
        )
    return sentences


def _ahead(rows: Rows, pair: Pair, name: str) -> int:
    """Which figure is larger by more than seeds differ: 1 the VAE's, -1 the autoencoder's, 0 neither."""
    return _apart(rows[pair.ae][name], rows[pair.vae][name], SCALES[BY_NAME[name].unit])


def _apart(ae: Sequence[float], vae: Sequence[float], scale: float) -> int:
    """1 where the second is larger on average by more than seeds differ, -1 where the first is, else 0."""
    margin = AHEAD_IN_ONE * scale
    if len(ae) > 1:
        margin = max(AHEAD * scale, 2 * math.sqrt((variance(ae) + variance(vae)) / len(ae)))
    difference = fmean(vae) - fmean(ae)
    return (difference > margin) - (difference < -margin)


def _times(ae: float, vae: float) -> float:
    """How many times the VAE's is smaller."""
    return 1.0 if ae == vae else ae / vae if vae else math.inf


def _both(rows: Rows, pair: Pair, name: str) -> tuple[float, float]:
    return _mean(rows, pair.ae, name), _mean(rows, pair.vae, name)


def _mean(rows: Rows, model: str, name: str) -> float:
    return fmean(rows[model][name])


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
