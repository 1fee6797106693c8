"""Which of an autoencoder and a VAE is the more continuous, the more complete: numbers in, a verdict out.

Verdicts follow the means over seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from autoencoder.catalog import BY_NAME
from autoencoder.comparison import Models, Rows, mean

CLEARLY = 1.5  # times better: what is called a difference
AHEAD = 0.02  # of the scale of a figure, and more than two standard errors: what is called ahead
AHEAD_IN_ONE = 0.05  # the same where there is one seed: more than the standard deviation of most over seeds
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


def continuity_verdict(rows: Rows, pair: Pair) -> tuple[str, str]:
    """Whether the VAE's latent space is the more continuous one, and what the figures say."""
    # among figures that a classifier judges there is no such number
    unused = [f"`{name}`" for name in (pair.ae, pair.vae) if fmean(rows[name].get("active_units", [1])) < 1]
    if unused:
        return (
            "undecided",
            f"without a dimension in use, {' and '.join(unused)} draws much the same picture everywhere",
        )
    ratios = [times_smaller(*both(rows, pair, name)) for name in STEPPED]
    clearer = [
        "the VAE" if ratio >= CLEARLY else "the autoencoder" if ratio <= 1 / CLEARLY else "neither" for ratio in ratios
    ]
    if min(ratios) >= CLEARLY:
        times = f", by {ratios[0]:.1f} and {ratios[1]:.1f} times" if max(ratios) < math.inf else ""
        return "the claim holds", f"the VAE is the more continuous{times}"
    if max(ratios) <= 1 / CLEARLY:
        return "the opposite holds", "the autoencoder is the more continuous"
    if max(ratios) <= 1:
        back = [times_smaller(*reversed(both(rows, pair, name))) for name in STEPPED]
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


def completeness_verdict(rows: Rows, pair: Pair) -> tuple[str, str]:
    """Whether more of the VAE's samples from N(0, I) mean something, and in how many figures."""
    ahead = [ahead_in(rows, pair, name) for name in SAMPLED]
    if min(ahead) == 1:
        verdict = "the claim holds"
    elif max(ahead) == -1:
        verdict = "the opposite holds"
    else:
        verdict = "the claim holds in part" if ahead.count(1) > ahead.count(-1) else "the claim does not hold"
    return verdict, lead(ahead)


def lead(ahead: list[int]) -> str:
    """In how many of three figures which of the two is ahead."""
    if min(ahead) == 1:
        return "the VAE is ahead in all three"
    if max(ahead) == -1:
        return "the autoencoder is ahead in all three"
    words = f"the VAE is ahead in {ahead.count(1) or 'none'} of the three"
    return f"{words}, the autoencoder in {ahead.count(-1)}" if -1 in ahead else words


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


def ahead_in(rows: Rows, pair: Pair, name: str) -> int:
    """Which figure is larger by more than seeds differ: 1 the VAE's, -1 the autoencoder's, 0 neither."""
    return apart(rows[pair.ae][name], rows[pair.vae][name], SCALES[BY_NAME[name].unit])


def apart(ae: Sequence[float], vae: Sequence[float], scale: float) -> int:
    """1 where the second is larger on average by more than seeds differ, -1 where the first is, else 0."""
    margin = AHEAD_IN_ONE * scale
    if len(ae) > 1:
        margin = max(AHEAD * scale, 2 * math.sqrt((variance(ae) + variance(vae)) / len(ae)))
    difference = fmean(vae) - fmean(ae)
    return (difference > margin) - (difference < -margin)


def times_smaller(ae: float, vae: float) -> float:
    """How many times the VAE's is smaller."""
    return 1.0 if ae == vae else ae / vae if vae else math.inf


def both(rows: Rows, pair: Pair, name: str) -> tuple[float, float]:
    """A figure's means, the autoencoder's and the VAE's."""
    return mean(rows, pair.ae, name), mean(rows, pair.vae, name)
