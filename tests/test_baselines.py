"""baselines.py: the words follow the numbers."""

import pytest

from autoencoder.baselines import ARTICLE_LATENT_DIM, baselines
from autoencoder.models import MODEL_PARAMS, build_model
from tests.figures import MODELS, rows


@pytest.mark.parametrize("kind", ARTICLE_LATENT_DIM)
def test_the_article_s_networks_have_the_dimensions_that_are_told_of_them(kind):
    model = build_model(MODEL_PARAMS.validate_python({"kind": kind}), seed=0)
    assert model.latent_dim == ARTICLE_LATENT_DIM[kind]


def test_the_articles_networks_are_judged_by_their_numbers():
    (text,) = baselines(rows(), {name: MODELS[name] for name in ("pca", "vae_article", "vae")})
    assert "test MSE 0.07 (0.04 decoding a posterior sample, as in training, instead of the mean), worse" in text
    assert "2 of its 10 dimensions are in use, **the others have collapsed**" in text
    assert "worse than PCA with 20 components (0.022; the network has 10 dimensions)" in text
    size = "with 20 dimensions, 2.1 million parameters and 20 epochs instead of 10, 0.44 million and 10"
    assert f"`vae`, {size}, is ahead" in text
    good = rows(vae_article__active_units=9, vae_article__reconstruction_mse=0.01, vae_article__classifier_fid_gmm=1.0)
    (text,) = baselines(good, {name: MODELS[name] for name in ("pca", "vae_article", "vae")})
    assert "better than PCA" in text
    assert "collapsed" not in text
    assert "and 10, is **not** ahead in both" in text
    assert baselines(rows(), {"vae": MODELS["vae"]}) == []
