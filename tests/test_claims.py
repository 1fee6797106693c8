"""The words follow the numbers: other numbers, other verdicts."""

import pytest

from autoencoder.claims import caveat, claims_table, completeness, continuity
from autoencoder.verdicts import Pair
from tests.figures import MODELS, rows

PAIR = Pair("ae", "vae", 20)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "**the claim holds**: the VAE is the more continuous, by 3.0 and 5.0 times"),
        ({"vae__label_flip_rate": 0.0}, "**the claim holds**"),
        (  # at least 1.5 times, in both
            {"ae__label_flip_rate": 0.75, "vae__label_flip_rate": 0.5, "ae__normalized_path_length": 6.0},
            "**the claim holds**: the VAE is the more continuous, by 1.5 and 1.5 times",
        ),
        (
            {"vae__label_flip_rate": 0.0, "ae__label_flip_rate": 0.0},
            "by the first figure neither is the more continuous",
        ),
        (
            {"vae__label_flip_rate": 0.25},
            "**the claim holds in part**: by the first figure neither is the more",
        ),
        (
            {"vae__normalized_path_length": 60.0},
            "**the claim holds in part**: by the first figure the VAE is the more continuous, by the second the "
            "autoencoder",
        ),
        (
            {"vae__label_flip_rate": 0.29, "vae__normalized_path_length": 21.0},
            "**the claim does not hold**: in small steps the autoencoder is about as continuous as the VAE",
        ),
        (
            {"vae__label_flip_rate": 0.5, "vae__normalized_path_length": 21.0},
            "**the claim does not hold**: in small steps the autoencoder is at least as continuous as the VAE, by 1.7 and 1.1 times",
        ),
        ({"ae__label_flip_rate": 0.01, "ae__normalized_path_length": 0.1}, "**the opposite holds**"),
        (
            {"vae__label_flip_rate": 0.6, "vae__normalized_path_length": 15.0},
            "**the claim does not hold**: by the first figure the autoencoder is the more continuous.",
        ),
        (
            {"vae__label_flip_rate": 0.29, "vae__normalized_path_length": 60.0},
            "**the claim does not hold**: by the second figure the autoencoder is the more continuous.",
        ),
    ],
)
def test_continuity_needs_both_figures(changes, verdict):
    assert verdict in continuity(rows(**changes), PAIR)


def test_a_model_without_a_dimension_in_use_is_not_called_continuous():
    dead = {"vae__active_units": 0, "vae__label_flip_rate": 0.0, "vae__normalized_path_length": 0.4}
    assert "**undecided**: without a dimension in use, `vae` draws" in continuity(rows(**dead), PAIR)
    assert "**undecided**: without a dimension in use, `ae` draws" in continuity(rows(ae__active_units=0), PAIR)
    assert "**the claim holds**" in continuity(rows(vae__active_units=1), PAIR)


def test_who_is_ahead_between_images_is_read_from_the_numbers():
    assert continuity(rows(), PAIR).endswith("the VAE is ahead.")
    assert continuity(rows(ae__midpoint_acceptance=0.6), PAIR).endswith("the autoencoder is ahead.")
    assert continuity(rows(ae__midpoint_acceptance=0.46), PAIR).endswith("neither is ahead.")


@pytest.mark.parametrize(
    ("ae", "vae", "ahead"),
    [
        ([0.40, 0.41, 0.39], [0.44, 0.43, 0.45], "the VAE"),  # 0.04, and seeds differ by 0.01
        ([0.35, 0.45, 0.40], [0.44, 0.43, 0.45], "neither"),  # the same means, but one differs by 0.05
        ([0.400, 0.401, 0.399], [0.41, 0.411, 0.409], "neither"),  # surely, but hardly
        ([0.40], [0.44], "neither"),  # one seed
        ([0.40], [0.46], "the VAE"),
    ],
)
def test_ahead_is_by_more_than_seeds_differ(ae, vae, ahead):
    several = rows() | {
        "ae": rows()["ae"] | {"midpoint_acceptance": ae},
        "vae": rows()["vae"] | {"midpoint_acceptance": vae},
    }
    assert continuity(several, PAIR).endswith(f"{ahead} is ahead.")


def test_a_difference_that_far_codes_make_is_called_so():
    assert "far out" not in continuity(rows(), PAIR)
    made = rows(vae__label_flip_rate_iqr=0.18)
    assert "20% and 18% of the time, and the path lengths are 8 and 4 (1.1 and 2.0 times): codes that lie far out" in (
        continuity(made, PAIR)
    )
    assert "(1.8 and 2.0 times): codes" in continuity(rows(vae__label_flip_rate_iqr=0.111), PAIR)  # 0.8 more, of 2
    repeated = {model: {name: values * 2 for name, values in row.items()} for model, row in made.items()}
    repeated["vae"]["label_flip_rate_iqr"] = [0.12, 0.24]
    assert "(1.1 and 2.0 times; seed by seed 0.8 to 1.7 and 2.0 to 2.0): codes" in continuity(repeated, PAIR)
    assert "far out" not in continuity(rows(vae__normalized_path_length_iqr=2.0, vae__label_flip_rate_iqr=0.18), PAIR)
    no_claim = rows(vae__label_flip_rate=0.25, vae__label_flip_rate_iqr=0.18)
    assert "far out" not in continuity(no_claim, PAIR)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "**the claim holds**: the VAE is ahead in all three"),
        ({"vae__coverage_normal": 0.01}, "**the claim holds in part**: the VAE is ahead in 2 of the three"),
        (
            {"ae__prior_acceptance_normal": 0.9, "ae__coverage_normal": 0.9, "ae__digits_drawn_normal": 10.0},
            "**the opposite holds**: the autoencoder is ahead in all three",
        ),
        (
            {"ae__prior_acceptance_normal": 0.9, "ae__coverage_normal": 0.9},
            "**the claim does not hold**: the VAE is ahead in 1 of the three, the autoencoder in 2.",
        ),
        (  # by less than seeds differ
            {"ae__prior_acceptance_normal": 0.4, "ae__coverage_normal": 0.58, "ae__digits_drawn_normal": 9.2},
            "**the claim does not hold**: the VAE is ahead in none of the three",
        ),
    ],
)
def test_completeness_is_acceptance_and_the_digits_drawn_and_coverage(changes, verdict):
    assert verdict in completeness(rows(**changes), PAIR)


def test_samples_are_held_against_reconstructions_and_against_a_gaussian():
    text = completeness(rows(), PAIR)
    assert (
        "sure of 7.0% of the autoencoder's N(0, I) samples and 41% of the VAE's (`prior_acceptance_normal`; of their recon"
        in text
    )
    assert "of their reconstructions 93% and 91%); 2.5 and 9.4 of the ten digits" in text
    assert "cover 6.0% and 59% of the test images (`coverage_normal`; reconstructions 99% and 98%)" in text
    assert "instead of N(0, I), the autoencoder covers 30%" in text
    assert "sure of 40% and 50% (`midpoint_acceptance`; of reconstructed images 93% and 91%)" in continuity(
        rows(), PAIR
    )


def test_what_the_standard_normal_costs_is_a_difference_of_likelihoods():
    assert "N(0, I) costs the VAE 0.75 nats per image" in completeness(rows(), PAIR)


def test_what_a_fitted_mixture_changes_is_said_only_where_it_does():
    text = completeness(rows(), PAIR)
    assert "its `classifier_fid` is 2.9 instead of 8.4" in text
    assert (
        "the autoencoder covers 80%, more than the VAE from N(0, I), at a `classifier_fid` of 3: its space can" in text
    )
    assert text.endswith(
        "the VAE's is known beforehand. With each sampled from its own fitted mixture, the VAE is ahead in 1 of the "
        "three figures."
    )
    assert completeness(rows(ae__coverage_gmm=0.3, ae__digits_drawn_gmm=8.0), PAIR).endswith(
        "ahead in all three figures."
    )
    assert "beforehand" not in completeness(rows(ae__coverage_gmm=0.3), PAIR)
    assert "beforehand" not in completeness(rows(vae__coverage_normal=0.06), PAIR)  # the VAE is not ahead there
    # four fifths of the VAE's 0.85 are 0.68
    assert "beforehand" not in completeness(rows(ae__coverage_gmm=0.67), PAIR)
    assert "beforehand" in completeness(rows(ae__coverage_gmm=0.69), PAIR)
    assert "less than the VAE from N(0, I)" in completeness(rows(ae__coverage_gmm=0.7, vae__coverage_normal=0.76), PAIR)
    near = rows(ae__coverage_gmm=0.7, vae__coverage_normal=0.72)
    assert "about as many as the VAE from N(0, I)" in completeness(near, PAIR)
    assert "ten digits alike" not in completeness(near, PAIR)
    one = rows(ae__digits_drawn_gmm=9.5, vae__digits_drawn_gmm=9.97)
    assert "ten digits alike" not in completeness(one, PAIR)
    every = rows(ae__digits_drawn_gmm=9.95, vae__digits_drawn_gmm=9.97)
    assert "figures (both draw all ten digits alike, which none can exceed)." in completeness(every, PAIR)


def test_what_acceptance_is_worth_is_said_with_its_numbers():
    assert "reads 99.30% of the test images right" in caveat(rows())
    assert "29% of the pixel averages of two different digits and of 100% of images of uniform noise" in caveat(rows())


def test_the_claims_at_a_glance_are_those_of_the_paragraphs():
    found = rows(vae__coverage_normal=0.06)
    header, _, *lines = claims_table(found, {name: MODELS[name] for name in ("pca", "ae", "vae")}).splitlines()
    assert header == "|  | 20 dimensions, `ae` → `vae` |"
    assert [line.rsplit(" | ", 1)[1] for line in lines] == [
        "30% → 10% |",
        "20 → 4 |",
        "**the claim holds** |",
        "7.0% → 41% |",
        "2.5 → 9.4 |",
        "6.0% → 6.0% |",
        "**the claim holds in part** |",
        "20% → 10% |",
        "40% → 50% |",
        "80% → 85% |",
    ]
    assert "**the claim holds**" in continuity(found, PAIR)
    assert "**the claim holds in part**" in completeness(found, PAIR)
