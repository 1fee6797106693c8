"""verdicts.py: who is compared with whom (the verdicts themselves: test_claims.py, with their words)."""

import pytest

from autoencoder.verdicts import Pair, apart, pairs
from tests.figures import MODELS


def test_pairs_differ_in_nothing_but_the_kind():
    assert pairs(MODELS) == [Pair("ae_2d", "vae_2d", 2), Pair("ae", "vae", 20)]
    assert pairs({"pca": MODELS["pca"]}) == []
    half_typed = {"ae": {"kind": "ae"}, "vae": {"kind": "vae"}}
    assert pairs(half_typed) == []


@pytest.mark.parametrize(
    ("ae", "vae", "scale", "ahead"),
    [
        ([0.4] * 3, [0.419] * 3, 1.0, 0),  # seeds do not differ: 2% of the scale
        ([0.4] * 3, [0.421] * 3, 1.0, 1),
        ([4.0] * 3, [4.19] * 3, 10.0, 0),
        ([4.0] * 3, [4.21] * 3, 10.0, 1),
        ([0.3, 0.4, 0.5], [0.51] * 3, 1.0, 0),  # two standard errors are 2 * (0.1^2 / 3)^(1/2) = 0.1155
        ([0.3, 0.4, 0.5], [0.52] * 3, 1.0, 1),
    ],
)
def test_ahead_is_a_lead_of_2_percent_and_of_two_standard_errors(ae, vae, scale, ahead):
    assert apart(ae, vae, scale) == ahead
    assert apart(vae, ae, scale) == -ahead
