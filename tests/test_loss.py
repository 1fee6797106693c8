"""loss.py: what is minimised is what params.yaml asks for."""

from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal

from autoencoder.loss import training_loss
from autoencoder.models import AE, VAE, build_model
from autoencoder.recipe import TRAIN_PARAMS, PCATraining
from tests.small_params import AE_PARAMS, VAE_PARAMS

KINDS: dict[str, dict[str, Any]] = {
    "ae": AE_PARAMS,
    "vae": VAE_PARAMS,
    "article": {"kind": "vae_article", "epochs": 1, "batch_size": 16, "learning_rate": 0.001},
}
ONE = torch.ones(1)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def setting(kind: str, **changes: Any) -> tuple[AE | VAE, Any, torch.Tensor]:
    """A new model, its parameters, and six images."""
    params = TRAIN_PARAMS.validate_python(KINDS[kind] | changes)
    assert not isinstance(params, PCATraining)
    model = build_model(params, seed=0)
    assert isinstance(model, AE | VAE)
    return model, params, torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(1)).round()


def test_the_article_s_loss_is_its_mean_squared_error_plus_its_mean_kl():
    model, params, image = setting("article")
    assert isinstance(model, VAE)
    posterior = model.posterior(image)
    terms = training_loss(model, params, image, torch.zeros(1, *posterior.mean.shape), ONE)
    loss, reconstruction, kl = (term.mean() for term in terms)
    sigma2 = posterior.log_var.exp()
    mse = (model.decode(posterior.mean) - image).square().mean()
    expected_kl = 0.5 * (posterior.mean**2 + sigma2 - torch.log(sigma2) - 1).sum() / (len(image) * 784)
    torch.testing.assert_close(reconstruction, mse)
    torch.testing.assert_close(kl, expected_kl)
    torch.testing.assert_close(loss, mse + expected_kl)


def test_an_autoencoder_s_loss_is_its_reconstruction_term():
    model, params, image = setting("ae")
    loss, reconstruction, kl = training_loss(model, params, image, torch.empty(1, 6, 0), ONE)
    expected = -Bernoulli(model.decode(model.encode(image)), validate_args=False).log_prob(image).flatten(1).sum(1)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(reconstruction, expected)
    assert not kl.any()


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_the_gaussian_likelihood_is_used_where_it_is_asked_for(kind):
    model, params, image = setting(kind, likelihood="gaussian")
    reconstruction = training_loss(model, params, image, torch.zeros(1, 6, 4), ONE)[1]
    decoded = model.decode(model.encode(image))
    density = Normal(decoded, (decoded - image).square().mean().sqrt())
    torch.testing.assert_close(reconstruction, -density.log_prob(image).flatten(1).sum(1))


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_one_sample_gives_the_weighted_sum_of_the_terms(likelihood):
    model, params, image = setting("vae", likelihood=likelihood)
    loss, reconstruction, kl = training_loss(model, params, image, draw(1, 6, 4), torch.tensor([0.3]))
    torch.testing.assert_close(loss, reconstruction + 0.3 * kl)


@pytest.mark.parametrize("kl_weight", [0.0, 0.3, 1.0])
def test_more_samples_give_the_importance_weighted_bound(kl_weight):
    model, params, image = setting("vae", importance_samples=5)
    assert isinstance(model, VAE)
    noise = draw(5, 6, 4)
    found = training_loss(model, params, image, noise, torch.tensor([kl_weight]))
    given = model.posterior(image)
    posterior = Independent(Normal(given.mean, (0.5 * given.log_var).exp()), 1)
    prior = Independent(Normal(torch.zeros(4), torch.ones(4)), 1)
    latent = given.mean + (0.5 * given.log_var).exp() * noise
    fit = Bernoulli(logits=model.decoder(latent)).log_prob(image).flatten(2).sum(2)
    weights = fit + kl_weight * (prior.log_prob(latent) - posterior.log_prob(latent))
    torch.testing.assert_close(found[0], -log_mean(weights))
    torch.testing.assert_close(found[1], -fit.mean(0))
    torch.testing.assert_close(found[2], torch.distributions.kl_divergence(posterior, prior))


def log_mean(log_weights: torch.Tensor) -> torch.Tensor:
    """The log of a mean of exponentials over the first axis."""
    return torch.logsumexp(log_weights, 0) - torch.tensor(float(len(log_weights))).log()


def test_more_samples_bound_tighter():
    model, params, image = setting("vae", importance_samples=100)
    few, many = (
        torch.stack([training_loss(model, params, image, draw(count, 6, 4, seed=s), ONE)[0] for s in range(200)])
        for count in (1, 20)
    )
    assert (many.mean(0) < few.mean(0)).all()


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_every_parameter_gets_a_gradient_from_the_bound(likelihood):
    model, params, image = setting("vae", likelihood=likelihood, importance_samples=3)
    training_loss(model, params, image, draw(3, 6, 4), ONE)[0].mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
