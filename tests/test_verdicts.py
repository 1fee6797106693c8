"""verdicts.py: who is compared with whom (the verdicts themselves: test_claims.py, with their words)."""

from autoencoder.verdicts import Pair, pairs
from tests.figures import MODELS


def test_pairs_differ_in_nothing_but_the_kind():
    assert pairs(MODELS) == [Pair("ae_2d", "vae_2d", 2), Pair("ae", "vae", 20)]
    assert pairs({"pca": MODELS["pca"]}) == []
    half_typed = {"ae": {"kind": "ae"}, "vae": {"kind": "vae"}}
    assert pairs(half_typed) == []
