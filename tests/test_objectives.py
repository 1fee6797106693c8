"""The terms of the objectives against closed forms, a trusted library and each other."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal
from torch.distributions import kl_divergence as library_kl

from autoencoder.objectives import (
    Gaussian,
    bernoulli_nll,
    gaussian_nll,
    importance_weighted_bound,
    kl_divergence,
    kl_per_dimension,
    log_importance_weight,
    reparameterize,
)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_kl_is_zero_at_the_prior():
    assert kl_divergence(Gaussian(torch.zeros(3, 4), torch.zeros(3, 4))).tolist() == [0, 0, 0]


def test_kl_of_a_hand_computed_posterior():
    # N(1, e^1) against N(0, 1): (1 + e - 1 - 1) / 2 for each of two dimensions
    posterior = Gaussian(torch.ones(1, 2), torch.ones(1, 2))
    assert kl_divergence(posterior).item() == pytest.approx(math.e - 1)
    assert kl_per_dimension(posterior)[0].tolist() == pytest.approx([(math.e - 1) / 2] * 2)


def test_kl_equals_torch_distributions():
    posterior = Gaussian(draw(5, 7), draw(5, 7, seed=1))
    expected = library_kl(
        Independent(Normal(posterior.mean, torch.exp(0.5 * posterior.log_var)), 1),
        Independent(Normal(torch.zeros(5, 7), torch.ones(5, 7)), 1),
    )
    torch.testing.assert_close(kl_divergence(posterior), expected)


def test_reparameterize_has_the_moments_of_the_posterior():
    posterior = Gaussian(torch.tensor([[2.0, -1.0]]), torch.tensor([[0.0, 2 * math.log(3)]]))
    samples = reparameterize(posterior, draw(200_000, 1, 2)).squeeze(1)
    torch.testing.assert_close(samples.mean(0), posterior.mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(samples.std(0), torch.tensor([1.0, 3.0]), atol=0.03, rtol=0)


def test_bernoulli_nll_equals_torch_distributions_on_binary_images():
    logits, image = draw(4, 1, 28, 28), (draw(4, 1, 28, 28, seed=1) > 0).float()
    expected = -Independent(Bernoulli(logits=logits), 3).log_prob(image)
    torch.testing.assert_close(bernoulli_nll(logits, image), expected)


def test_bernoulli_nll_is_smallest_where_probability_equals_grey_value():
    image = torch.full((1, 1, 28, 28), 0.3)
    best = bernoulli_nll(torch.logit(image), image)
    assert best < bernoulli_nll(torch.logit(image + 0.02), image)
    assert best < bernoulli_nll(torch.logit(image - 0.02), image)


def test_bernoulli_nll_stays_finite_at_extreme_logits():
    image = torch.zeros(1, 1, 28, 28)
    assert bernoulli_nll(torch.full_like(image, 1e4), image).item() == pytest.approx(1e4 * 784)
    assert bernoulli_nll(torch.full_like(image, -1e4), image).item() == 0


def test_gaussian_nll_uses_the_variance_that_maximises_the_likelihood():
    logits, image = draw(3, 1, 28, 28), torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    mean = torch.sigmoid(logits)
    variance = (mean - image).square().mean()

    def nll(std: torch.Tensor) -> float:
        return -Normal(mean, std).log_prob(image).sum().item()

    ours = gaussian_nll(logits, image).sum().item()
    assert ours == pytest.approx(nll(variance.sqrt()), rel=1e-5)
    assert ours < min(nll(variance.sqrt() * 0.9), nll(variance.sqrt() * 1.1))


def test_a_perfect_reconstruction_has_the_likelihood_of_the_least_variance():
    grey = torch.full((2, 1, 28, 28), 0.5)
    # a density of 1 / sqrt(2 pi 0.0001) in each of 784 pixels, without end if the variance had none
    assert gaussian_nll(torch.logit(grey), grey).tolist() == pytest.approx([392 * math.log(2 * math.pi * 1e-4)] * 2)


def linear_gaussian(count: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Log weights of z ~ N(0, 1), x | z ~ N(z, 1) with a slightly wrong posterior, and the exact log p(x)."""
    x = draw(count, 1, seed=2)
    posterior = Gaussian(0.4 * x, torch.full_like(x, math.log(0.6)))
    noise = draw(k, count, 1, seed=3)
    nll = -Normal(reparameterize(posterior, noise), 1.0).log_prob(x).sum(-1)
    return log_importance_weight(posterior, noise, nll), Normal(0.0, math.sqrt(2)).log_prob(x).sum(-1)


def test_importance_weighted_bound_reaches_the_closed_form():
    log_weights, exact = linear_gaussian(200, k=5000)
    torch.testing.assert_close(importance_weighted_bound(log_weights), exact, atol=0.02, rtol=0)


def test_bounds_are_ordered():
    log_weights, exact = linear_gaussian(500, k=64)
    single = log_weights.mean(0)
    few, many = importance_weighted_bound(log_weights[:4]).mean(), importance_weighted_bound(log_weights).mean()
    assert single.mean() < few < many <= exact.mean() + 0.01
    assert (single <= importance_weighted_bound(log_weights) + 1e-6).all()


def test_log_weights_average_to_the_elbo():
    posterior = Gaussian(draw(6, 3), draw(6, 3, seed=1))
    nll = torch.full((20_000, 6), 5.0)
    log_weights = log_importance_weight(posterior, draw(20_000, 6, 3, seed=2), nll)
    torch.testing.assert_close(log_weights.mean(0), -(nll[0] + kl_divergence(posterior)), atol=0.1, rtol=0)
