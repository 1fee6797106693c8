import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_info, threadpool_limits

from autoencoder.density import DensityParams, draw_codes, fit_gaussian, fit_mixture, log_density
from autoencoder.models import MODEL_PARAMS, build_model
from autoencoder.priors import draw_noise, fitted_mixture, sample, standard_normal

WEIGHTS = np.array([0.6, 0.4])
MEANS = np.array([[0.0, 0.0, 1.0], [8.0, -8.0, 1.0]])
COVARIANCES = np.stack([np.diag([1.0, 2.0, 0.0]), np.diag([0.5, 0.5, 0.0])])  # the last dimension is dead
CODES = sample(fitted_mixture(WEIGHTS, MEANS, COVARIANCES), draw_noise(4000, 3, seed=0)).astype(np.float64)


def test_the_gaussian_has_the_codes_moments():
    found = fit_gaussian(CODES)
    np.testing.assert_allclose(found["train_mean"], CODES.mean(0))
    np.testing.assert_allclose(found["train_covariance"], np.cov(CODES.T))


def test_one_dimension_gives_a_matrix_too():
    assert fit_gaussian(CODES[:, :1])["train_covariance"].shape == (1, 1)


def test_the_mixture_finds_what_the_codes_were_drawn_from():
    found = fit_mixture(DensityParams(components=2, codes=4000), CODES)
    np.testing.assert_allclose(found["mixture_weights"], WEIGHTS, atol=0.02)  # the heaviest first
    np.testing.assert_allclose(found["mixture_means"], MEANS, atol=0.1)
    np.testing.assert_allclose(found["mixture_covariances"], COVARIANCES, atol=0.15)
    np.testing.assert_allclose(found["mixture_covariances"][:, 2, 2], 1e-6, rtol=1e-6)  # little, but an inverse exists


def test_the_mixture_is_the_same_every_time_and_follows_its_codes():
    params = DensityParams(components=3, codes=500)
    first, again, fewer = fit_mixture(params, CODES), fit_mixture(params, CODES), fit_mixture(params, CODES[:500])
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        np.testing.assert_array_equal(value, fewer[name])


def test_the_mixture_does_not_depend_on_how_many_cores_there_are(monkeypatch):
    fit, threads = GaussianMixture.fit, []

    def watched(mixture, codes):
        threads.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
        return fit(mixture, codes)

    monkeypatch.setattr(GaussianMixture, "fit", watched)
    with threadpool_limits(2, user_api="blas"):
        fit_mixture(DensityParams(components=2, codes=500), CODES)
    assert threads == [{1}]


@pytest.mark.parametrize(
    "codes", [np.zeros((200, 2)), np.repeat(np.eye(2), 100, axis=0)], ids=["collapsed", "two points"]
)
def test_codes_without_spread_still_give_a_prior(codes):
    found = fit_mixture(DensityParams(components=2, codes=200), codes)
    prior = fitted_mixture(*(found[f"mixture_{name}"] for name in ("weights", "means", "covariances")))
    assert np.isfinite(sample(prior, draw_noise(10, 2, seed=0))).all()


def test_more_components_than_codes_are_refused():
    with pytest.raises(
        ValueError, match=r"^params\.yaml: density\.components = 200: expected at most the 150 training"
    ):
        fit_mixture(DensityParams(components=200, codes=1000), CODES[:150])


def test_as_many_components_as_codes_are_allowed():
    assert DensityParams(components=100, codes=100).codes == 100
    assert len(fit_mixture(DensityParams(components=5, codes=100), CODES[:5])["mixture_weights"]) == 5


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_codes_are_what_the_decoder_meets_in_training(kind):
    params = {"kind": kind, "latent_dim": 4, "network": {"type": "mlp", "hidden": [16]}}
    model = build_model(MODEL_PARAMS.validate_python(params), seed=0)
    image = torch.rand(1200, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    noise = draw_noise(1200, 4, seed=1).normal
    codes = draw_codes(model, image, noise)
    with torch.no_grad():
        if kind == "ae":
            np.testing.assert_allclose(codes, model.encode(image), atol=1e-6)
        else:
            posterior = model.posterior(image)
            np.testing.assert_allclose(
                (codes - posterior.mean.numpy()) / (posterior.log_var / 2).exp().numpy(), noise, atol=1e-5
            )


def test_log_density_is_that_of_the_mixture():
    covariances = COVARIANCES + 0.3 * np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 1.0]])
    prior = fitted_mixture(WEIGHTS, MEANS, covariances)
    latents = np.random.default_rng(0).normal(0, 5, (7, 50, 3))
    by_component = [multivariate_normal(m, c).logpdf(latents) for m, c in zip(MEANS, covariances, strict=True)]
    expected = np.logaddexp(*(np.log(weight) + one for weight, one in zip(WEIGHTS, by_component, strict=True)))
    found = log_density(prior, torch.device("cpu"))(torch.from_numpy(latents).float())
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_log_density_of_n01_at_its_mean():
    found = log_density(standard_normal(4), torch.device("cpu"))(torch.zeros(4))
    assert found.item() == pytest.approx(-2 * np.log(2 * np.pi), rel=1e-6)
