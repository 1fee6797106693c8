"""recipe.py: schedules."""

import pytest

from autoencoder.recipe import TRAIN_PARAMS, schedules
from tests.small_params import AE_PARAMS, VAE_PARAMS


def test_schedules_rise_and_fall():
    rates, weights = schedules(TRAIN_PARAMS.validate_python({**VAE_PARAMS, "beta": 0.5}), steps_per_epoch=25)
    assert len(rates) == len(weights) == 100
    assert rates.argmax().item() == pytest.approx(9, abs=1)
    assert rates.max().item() == pytest.approx(0.01)
    assert rates[-1].item() == pytest.approx(0, abs=1e-9)
    assert weights[0].item() == pytest.approx(0.05)
    assert weights[9:].tolist() == [0.5] * 91
    article = {"kind": "vae_article", "epochs": 4, "batch_size": 16, "learning_rate": 0.001}
    rates, weights = schedules(TRAIN_PARAMS.validate_python(article), steps_per_epoch=25)
    assert rates.tolist() == pytest.approx([0.001] * 100)
    assert set(weights.tolist()) == {1.0}


@pytest.mark.parametrize("kind", [AE_PARAMS, VAE_PARAMS, {**VAE_PARAMS, "kl_warmup": 1.0}])
def test_a_run_of_one_step_takes_it(kind):
    (rate,), (weight,) = schedules(TRAIN_PARAMS.validate_python({**kind, "epochs": 1}), steps_per_epoch=1)
    assert 0 < rate <= 0.01
    assert weight == (0 if kind is AE_PARAMS else 1)
