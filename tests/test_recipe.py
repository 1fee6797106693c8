"""recipe.py: schedules and optimizers."""

import pytest
import torch

from autoencoder.models import AE, VAE, build_model
from autoencoder.muon import Muon
from autoencoder.recipe import TRAIN_PARAMS, NetworkTraining, build_optimizers, schedules
from tests.small_params import AE_PARAMS, VAE_PARAMS

ARTICLE = {"kind": "vae_article", "epochs": 4, "batch_size": 16, "learning_rate": 0.001}


def test_schedules_rise_and_fall():
    params = {**VAE_PARAMS, "beta": 0.5, "kl_warmup": 0.2}
    rates, weights = schedules(TRAIN_PARAMS.validate_python(params), steps_per_epoch=25)
    assert len(rates) == len(weights) == 100
    assert rates.argmax().item() == pytest.approx(9, abs=1)
    assert rates.max().item() == pytest.approx(0.01)
    assert rates[-1].item() == pytest.approx(0, abs=1e-9)
    # half of the rise, then a third and two thirds of the fall, half a cosine
    assert rates[[4, 39, 69]].tolist() == pytest.approx([0.005, 0.0075, 0.0025])
    assert weights[[0, 9]].tolist() == pytest.approx([0.025, 0.25])
    assert weights[19:].tolist() == [0.5] * 81
    rates, weights = schedules(TRAIN_PARAMS.validate_python(ARTICLE), steps_per_epoch=25)
    assert rates.tolist() == pytest.approx([0.001] * 100)
    assert set(weights.tolist()) == {1.0}


@pytest.mark.parametrize("kind", [AE_PARAMS, VAE_PARAMS, {**VAE_PARAMS, "kl_warmup": 1.0}])
def test_a_run_of_one_step_takes_it(kind):
    (rate,), (weight,) = schedules(TRAIN_PARAMS.validate_python({**kind, "epochs": 1}), steps_per_epoch=1)
    assert 0 < rate <= 0.01
    assert weight == (0 if kind is AE_PARAMS else 1)


def built(kind) -> tuple[AE | VAE, list[torch.optim.Optimizer]]:
    params = TRAIN_PARAMS.validate_python(kind)
    assert isinstance(params, NetworkTraining)
    model = build_model(params, seed=0)
    assert isinstance(model, AE | VAE)
    return model, build_optimizers(model, params, capturable=False)


DECAYING = {**VAE_PARAMS, "weight_decay": 0.5}  # of a learning rate of 0.01


@pytest.mark.parametrize(
    ("kind", "left"),
    [(DECAYING, 0.995), ({**DECAYING, "optimizer": "muon"}, 0.995), (ARTICLE, 1.0)],
    ids=["adamw", "muon", "article"],
)
def test_without_a_gradient_a_step_is_weight_decay_alone(kind, left):
    model, optimizers = built(kind)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    for optimizer in optimizers:
        optimizer.step()
    for parameter, old in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(parameter.detach(), left * old, rtol=1e-6, atol=0)


def test_muon_gets_the_matrices_and_adamw_the_rest():
    model, (muon, adamw) = built({**VAE_PARAMS, "optimizer": "muon"})
    assert isinstance(muon, Muon)
    assert isinstance(adamw, torch.optim.AdamW)
    shapes = [[len(p.shape) for group in o.param_groups for p in group["params"]] for o in (muon, adamw)]
    assert set(shapes[0]) == {2}
    assert 2 not in shapes[1]
    assert len(shapes[0] + shapes[1]) == len(list(model.parameters()))
