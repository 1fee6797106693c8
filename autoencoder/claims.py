"""What the figures say of the two claims, in words. Nothing here is typed in: other numbers make other sentences."""

from collections.abc import Iterator

from autoencoder.catalog import BY_NAME
from autoencoder.comparison import ARROWS, REAL, Models, Rows, mean, percent, table
from autoencoder.verdicts import (
    CLEARLY,
    SAMPLED,
    SCALES,
    STEPPED,
    Pair,
    ahead_in,
    apart,
    both,
    completeness_verdict,
    continuity_verdict,
    lead,
    pairs,
    times_smaller,
)

NEARLY = 0.8  # of the other's value: what is called nearly as good
ALL_DIGITS = 9.9  # of ten: what is called all of them
BESIDE = {  # decides nothing
    "label_flip_rate_iqr": "for context: digits changed by steps that outlying codes do not inflate",
    "midpoint_acceptance": "for context: accepted images halfway between two test images",
    "coverage_gmm": "for context: test images covered by samples from a mixture fitted to each model's codes",
}


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
        show = percent if BY_NAME[name].unit == "share" else "{:.3g}".format
        cells = (" → ".join(map(show, both(rows, pair, name))) for pair in found)
        yield [f"{words} (`{name}`{ARROWS[BY_NAME[name].better]})", *cells]


def continuity(rows: Rows, pair: Pair) -> str:
    """Is the VAE's latent space the more continuous one? In a paragraph."""
    flips, lengths, middles, ends = (
        both(rows, pair, name)
        for name in ("label_flip_rate", "normalized_path_length", "midpoint_acceptance", "reconstruction_acceptance")
    )
    verdict, reason = continuity_verdict(rows, pair)
    small_flips, small_lengths = (
        both(rows, pair, name) for name in ("label_flip_rate_iqr", "normalized_path_length_iqr")
    )
    times = [times_smaller(*flips), times_smaller(*lengths)]
    unstretched = [times_smaller(*small_flips), times_smaller(*small_lengths)]
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
        f"decoded digit {percent(flips[0])} of the time in the autoencoder and {percent(flips[1])} in the VAE "
        f"(`label_flip_rate`), and how far it moves the picture, squared (`normalized_path_length`), is {lengths[0]:.3g} and "
        f"{lengths[1]:.3g}, so **{verdict}**: {reason}. With steps measured by the interquartile range of the codes instead of their "
        f"standard deviation (`_iqr`) the digit changes {percent(small_flips[0])} and {percent(small_flips[1])} of the time, "
        f"and the path lengths are {small_lengths[0]:.3g} and {small_lengths[1]:.3g}{far}. Halfway between two images the classifier is sure of "
        f"{percent(middles[0])} and {percent(middles[1])} (`midpoint_acceptance`; of reconstructed images "
        f"{percent(ends[0])} and {percent(ends[1])}): "
        f"{ahead[ahead_in(rows, pair, 'midpoint_acceptance')]}."
    )


def _by_seed(rows: Rows, pair: Pair) -> str:
    """From least to most of the seeds, how many times smaller the VAE's figures of steps by interquartile range are."""
    found = [
        sorted(map(times_smaller, rows[pair.ae][name], rows[pair.vae][name]))
        for name in ("label_flip_rate_iqr", "normalized_path_length_iqr")
    ]
    words = " and ".join(f"{times[0]:.1f} to {times[-1]:.1f}" for times in found)
    return f"; seed by seed {words}" if len(found[0]) > 1 else ""


def completeness(rows: Rows, pair: Pair) -> str:
    """Do more of the VAE's samples from N(0, I) mean something, and does a fitted density change that?"""
    accepted, digits, covered = (both(rows, pair, name) for name in SAMPLED)
    readable, reached = (both(rows, pair, name) for name in ("reconstruction_acceptance", "coverage_reconstruction"))
    verdict, reason = completeness_verdict(rows, pair)
    text = (
        f"In {pair.latent_dim} dimensions the classifier is sure of {percent(accepted[0])} of the "
        f"autoencoder's N(0, I) samples and {percent(accepted[1])} of the VAE's (`prior_acceptance_normal`; of their "
        f"reconstructions {percent(readable[0])} and {percent(readable[1])}); {digits[0]:.1f} and {digits[1]:.1f} of the "
        f"ten digits are among them (`digits_drawn_normal`, the effective number); and they cover "
        f"{percent(covered[0])} and {percent(covered[1])} of the test images (`coverage_normal`; reconstructions "
        f"{percent(reached[0])} and {percent(reached[1])}), so **{verdict}**: {reason}. "
    )
    cost = mean(rows, pair.vae, "nll") - mean(rows, pair.vae, "nll_gmm")
    fitted, distance = (both(rows, pair, name) for name in ("coverage_gmm", "classifier_fid_gmm"))
    more = apart(rows[pair.ae]["coverage_gmm"], rows[pair.vae]["coverage_normal"], SCALES["share"])
    beside = {-1: "more than", 0: "about as many as", 1: "less than"}[more]
    text += (
        f"From a Gaussian with the mean and covariance of its codes instead of N(0, I), the autoencoder covers "
        f"{percent(mean(rows, pair.ae, 'coverage_gaussian'))}: that much is due to where its codes lie and how far "
        f"they spread. Against a mixture fitted to the training codes, N(0, I) costs the VAE {cost:.2g} nats per image "
        f"(`nll` less `nll_gmm`; a finer mixture finds more): from the mixture it covers {percent(fitted[1])}, and its `classifier_fid` is {distance[1]:.3g} "
        f"instead of {mean(rows, pair.vae, 'classifier_fid_normal'):.3g}. From a mixture fitted to its own codes the "
        f"autoencoder covers {percent(fitted[0])}, {beside} the VAE from N(0, I), at a `classifier_fid` of {distance[0]:.3g}"
    )
    if fitted[0] >= NEARLY * fitted[1] and ahead_in(rows, pair, "coverage_normal") == 1:
        text += (
            ": its space can be sampled too, once a density has been fitted to the codes; the VAE's is known beforehand"
        )
    ahead = [ahead_in(rows, pair, name.replace("normal", "gmm")) for name in SAMPLED]
    drawn = min(both(rows, pair, "digits_drawn_gmm"))
    full = " (both draw all ten digits alike, which none can exceed)" if drawn > ALL_DIGITS else ""
    return f"{text}. With each sampled from its own fitted mixture, {lead(ahead)} figures{full}."


def caveat(rows: Rows) -> str:
    """What the acceptance of samples is worth: the classifier on images that are no digits."""
    right, blends, noise = (
        mean(rows, REAL, name) for name in ("classifier_accuracy", "blend_acceptance", "noise_acceptance")
    )
    return (
        f"The classifier reads {right:.2%} of the test images right, but has seen nothing but digits: it is also sure of "
        f"{percent(blends)} of the pixel averages of two different digits and of {percent(noise)} of images of uniform "
        "noise. Acceptance means that it is sure, not that there is a digit; a model that always drew the same digit "
        "could score best: read it with `digits_drawn` and `coverage`."
    )
