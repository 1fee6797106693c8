"""Every metric against known values, good on good input and bad on bad input."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from torch import Tensor, nn

from autoencoder.data import Split
from autoencoder.evaluation import (
    DECODED_AT_ONCE,
    EvaluateParams,
    active_units,
    activity,
    binarize,
    code_metrics,
    count_parameters,
    encode,
    evaluate,
    likelihood_bounds,
    posterior_metrics,
    reconstruction_metrics,
    reconstruction_mse,
    sampled_reconstruction_mse,
)
from autoencoder.images import to_unit_interval
from autoencoder.models import AE, MODEL_PARAMS, PCA, VAE, build_model
from autoencoder.objectives import Gaussian
from autoencoder.priors import fitted_mixture, standard_normal

PARAMS = EvaluateParams(
    batch_size=16, iwae_samples=8, iwae_images=1000, neighbors=3, active_variance=0.01, noise_seed=20080601
)
SEED = PARAMS.noise_seed
MLP = {"type": "mlp", "hidden": [16]}


def digits(count: int, seed: int = 0) -> Split:
    """Random grey images whose first row says the label: pixel `label` is white, its neighbours black."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 1, 28, 28), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count) % 10
    images[:, 0, 0] = 0
    images[torch.arange(count), 0, 0, labels] = 255
    return Split(images, labels.to(torch.uint8))


def flat(value: int, count: int = 4) -> Split:
    return Split(torch.full((count, 1, 28, 28), value, dtype=torch.uint8), torch.zeros(count, dtype=torch.uint8))


def build(seed: int = 0, **params: Any) -> PCA | AE | VAE:
    return build_model(MODEL_PARAMS.validate_python(params), seed)


class Label(nn.Module):
    """The first ten pixels."""

    def forward(self, image: Tensor) -> Tensor:
        return image[:, 0, 0, :10]


class Constant(nn.Module):
    """The same logits whatever the latent."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, latent: Tensor) -> Tensor:
        return self.logits.expand(*latent.shape[:-1], 1, 28, 28)


class Posterior(nn.Module):
    """Mean `scale * (brightness of the first ten pixels)`, a constant log variance."""

    def __init__(self, scale: Tensor, log_var: Tensor) -> None:
        super().__init__()
        self.scale = scale
        self.log_var = log_var

    def forward(self, image: Tensor) -> Gaussian:
        mean = self.scale * image[:, 0, 0, : len(self.scale)]
        return Gaussian(mean, self.log_var.expand_as(mean))


class Linear(nn.Module):
    """Logits that are linear in a latent of one dimension."""

    def forward(self, latent: Tensor) -> Tensor:
        ramp = torch.linspace(-1, 1, 784).view(1, 28, 28)
        return latent[..., None, None] * ramp


def constant_ae(value: float) -> AE:
    return AE(Label(), Constant(torch.full((1, 28, 28), math.log(value / (1 - value)))), 10)


@pytest.mark.parametrize(("pixel", "decoded"), [(255, 0.25), (0, 0.25), (51, 0.25), (51, 0.2), (255, 0.999)])
def test_reconstruction_errors_of_a_constant_decoder(pixel, decoded):
    metrics = reconstruction_metrics(constant_ae(decoded), 3, flat(pixel))
    assert reconstruction_mse(constant_ae(decoded), 3, flat(pixel)) == metrics["reconstruction_mse"]
    x = pixel / 255
    assert metrics["reconstruction_mse"] == pytest.approx((x - decoded) ** 2, rel=1e-4, abs=1e-12)
    expected = -784 * (x * math.log(decoded) + (1 - x) * math.log(1 - decoded))
    assert metrics["reconstruction_bce"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("pixel", "logit"), [(255, -100.0), (0, 100.0)])
def test_a_pixel_that_is_surely_wrong_costs_the_clamps_price(pixel, logit):
    model = AE(Label(), Constant(torch.full((1, 28, 28), logit)), 10)
    metrics = reconstruction_metrics(model, 4, flat(pixel))
    assert metrics["reconstruction_mse"] == pytest.approx(1)
    assert metrics["reconstruction_bce"] == pytest.approx(-784 * math.log(1e-6), rel=0.01)


def test_a_pixel_that_is_surely_right_still_costs_the_clamp():
    metrics = reconstruction_metrics(AE(Label(), Constant(torch.full((1, 28, 28), 100.0)), 10), 4, flat(255))
    assert metrics["reconstruction_bce"] == pytest.approx(784 * 1e-6, rel=0.1)


class Identity:
    """A model whose latent is the image."""

    latent_dim = 784

    def encode(self, image: Tensor) -> Tensor:
        return image.flatten(1)

    def decode(self, latent: Tensor) -> Tensor:
        return latent.unflatten(-1, (1, 28, 28))


def test_a_perfect_model_has_no_error_and_ssim_1():
    metrics = reconstruction_metrics(Identity(), 16, digits(20))
    assert metrics["reconstruction_mse"] == 0
    assert metrics["ssim"] == pytest.approx(1)
    image = to_unit_interval(digits(20).images).double().clamp(1e-6, 1 - 1e-6)
    entropy = -(image * image.log() + (1 - image) * (1 - image).log()).flatten(1).sum(1).mean()
    assert metrics["reconstruction_bce"] == pytest.approx(entropy.item(), rel=1e-4)


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2004, eq. 13, in the windows that lie inside the image, as in the authors' own program."""
    offsets = np.arange(11) - 5
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    mean_a, mean_b, square_a, square_b, product = (
        convolve2d(image, weights, mode="valid") for image in (a, b, a * a, b * b, a * b)
    )
    means, spreads = mean_a**2 + mean_b**2, square_a - mean_a**2 + square_b - mean_b**2
    structure = (2 * mean_a * mean_b + 0.01**2) * (2 * (product - mean_a * mean_b) + 0.03**2)
    return float((structure / ((means + 0.01**2) * (spreads + 0.03**2))).mean())


def test_ssim_is_the_mean_of_windows_inside_the_image():
    model, split = build(kind="ae", latent_dim=4, network=MLP), digits(20)
    image = to_unit_interval(split.images)
    with torch.no_grad():
        decoded = model.decode(model.encode(image))
    pairs = zip(*(value[:, 0].double().numpy() for value in (decoded, image)), strict=True)
    expected = np.mean([ssim(*pair) for pair in pairs])
    found = reconstruction_metrics(model, 7, split)["ssim"]
    assert found == pytest.approx(expected, abs=1e-5)
    assert found < 0.2


def test_digits_are_read_from_separable_codes_and_not_from_constant_ones():
    train, test = digits(100), digits(50, seed=1)
    found = code_metrics(constant_ae(0.5), PARAMS, train, test)
    assert found == {"knn_accuracy": 1, "linear_probe_accuracy": 1}
    blind_layer = nn.Linear(784, 2)
    nn.init.zeros_(blind_layer.weight)
    blind = AE(nn.Sequential(nn.Flatten(), blind_layer), Constant(torch.zeros(1, 28, 28)), 2)
    with torch.no_grad():
        assert code_metrics(blind, PARAMS, train, test) == pytest.approx(dict.fromkeys(found, 0.1))


def test_a_linear_probe_sees_no_ring_where_neighbours_do():
    class Ring(nn.Module):
        """Zeros in the middle, ones around them."""

        def forward(self, image: Tensor) -> Tensor:
            angle = image[:, 0, 5, 5] * 2 * math.pi
            return image[:, 0, 0, 1:2] * torch.stack([angle.cos(), angle.sin()], 1)

    rings = [digits(400, seed) for seed in (0, 1)]
    train, test = (Split(split.images[split.labels < 2], split.labels[split.labels < 2]) for split in rings)
    found = code_metrics(AE(Ring(), Constant(torch.zeros(1, 28, 28)), 2), PARAMS, train, test)
    assert found["knn_accuracy"] == 1
    assert found["linear_probe_accuracy"] < 0.8


def test_the_linear_probe_does_not_depend_on_how_a_processor_rounds():
    """Adding the images in another order rounds otherwise, too; of a fit that stops early one can tell."""
    source = torch.Generator().manual_seed(0)
    labels = torch.arange(10, dtype=torch.uint8).repeat(1000)
    images = torch.randint(0, 256, (10_000, 1, 28, 28), generator=source, dtype=torch.uint8)
    images[:, 0, 0, 0] = (labels * 10 + images[:, 0, 0, 0] / 8).to(torch.uint8)  # they overlap

    class Corner(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image[:, 0, 0, :2]

    model = AE(Corner(), Constant(torch.zeros(1, 28, 28)), 2)
    train, test = Split(images[:5000], labels[:5000]), Split(images[5000:], labels[5000:])
    probes = {
        code_metrics(model, PARAMS, Split(train.images[order], train.labels[order]), test)["linear_probe_accuracy"]
        for order in (torch.randperm(5000, generator=source) for _ in range(6))
    }
    assert len(probes) == 1
    assert 0.3 < probes.pop() < 0.9


class Pixels(nn.Module):
    """The first two pixels, in units of which one is small and the other large."""

    def forward(self, image: Tensor) -> Tensor:
        return image[:, 0, 0, :2] * torch.tensor([1e-3, 1e3])


def test_the_linear_probe_has_no_unit_and_neighbours_have_that_of_the_codes():
    train, test = (noise_beside_the_label(seed) for seed in (0, 1))
    found = code_metrics(AE(Pixels(), Constant(torch.zeros(1, 28, 28)), 2), PARAMS, train, test)
    assert found["linear_probe_accuracy"] == 1
    assert found["knn_accuracy"] < 0.7


def noise_beside_the_label(seed: int) -> Split:
    """The first pixel is black or white, as the label says; the second has any value."""
    images = torch.randint(0, 256, (200, 1, 28, 28), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    labels = torch.arange(200, dtype=torch.uint8) % 2
    images[:, 0, 0, 0] = 255 * labels
    return Split(images, labels)


def test_neighbours_have_a_vote_each_however_near_they_are():
    def split(values: list[int], labels: list[int]) -> Split:
        images = torch.zeros(len(values), 1, 28, 28, dtype=torch.uint8)
        images[:, 0, 0, 0] = torch.tensor(values)
        return Split(images, torch.tensor(labels, dtype=torch.uint8))

    train, test = split([100, 110, 112, 200], [1, 0, 0, 1]), split([100], [0])  # two of the nearest three say 0
    assert code_metrics(constant_ae(0.5), PARAMS, train, test)["knn_accuracy"] == 1


def test_codes_are_read_by_what_the_training_split_teaches():
    train, test = digits(100), digits(50, seed=1)
    wrong = Split(train.images, (train.labels + 1) % 10)
    assert code_metrics(constant_ae(0.5), PARAMS, wrong, test) == {"knn_accuracy": 0, "linear_probe_accuracy": 0}


def test_more_neighbours_than_training_images_are_refused():
    params = PARAMS.model_copy(update={"neighbors": 101})
    with pytest.raises(
        ValueError, match=r"^params\.yaml: evaluate\.neighbors = 101: expected at most the 100 training"
    ):
        code_metrics(constant_ae(0.5), params, digits(100), digits(10))
    code_metrics(constant_ae(0.5), params, digits(101), digits(10))  # as many are not more


def test_active_units_and_kl_divergence_of_a_posterior_with_dead_dimensions():
    scale = torch.tensor([1.0, 0.0, 2.0, 0.0, 0.01])
    model = VAE(Posterior(scale, torch.zeros(5)), Constant(torch.zeros(1, 28, 28)), 5)
    metrics = posterior_metrics(model, PARAMS, digits(100))
    codes = encode(model, 7, digits(100))
    assert active_units(codes, PARAMS) == 2
    # a tenth of the images has mean scale[i] in dimension i, and the variance is the prior's
    assert metrics["kl_per_dimension"] == pytest.approx((0.1 * 0.5 * scale**2).tolist(), rel=1e-5, abs=1e-8)
    assert metrics["kl_divergence"] == pytest.approx(sum(metrics["kl_per_dimension"]), rel=1e-9)
    strict = PARAMS.model_copy(update={"active_variance": 0.3})  # the third has 4 * 0.1 * 0.9
    assert active_units(codes, strict) == 1
    assert active_units(codes, PARAMS.model_copy(update={"active_variance": 0.0})) == 3  # what never varies is not one
    # an unbiased estimate: 0 and 1 have a variance of 1/2
    assert active_units(np.array([[0.0], [1.0]], np.float32), strict) == 1


def test_a_draw_is_decoded_and_not_the_mean_where_sampled_is_said():
    model = VAE(Posterior(torch.zeros(1), torch.tensor([math.log(9.0)])), Linear(), 1)
    black = flat(0, 4000)
    found = sampled_reconstruction_mse(model, PARAMS, black)
    draws, weights = np.polynomial.hermite_e.hermegauss(60)
    pixels = 1 / (1 + np.exp(-3 * draws[:, None] * np.linspace(-1, 1, 784)))
    assert found == pytest.approx(weights @ np.square(pixels).mean(1) / weights.sum(), rel=0.01)
    assert found > 0.3  # its mean is a logit of 0 in every pixel
    assert reconstruction_mse(model, 100, black) == pytest.approx(0.25)
    assert sampled_reconstruction_mse(model, PARAMS.model_copy(update={"batch_size": 7}), black) == pytest.approx(found)


def test_kl_divergence_counts_the_variance_too():
    log_var = torch.tensor([0.0, math.log(0.25)])
    model = VAE(Posterior(torch.zeros(2), log_var), Constant(torch.zeros(1, 28, 28)), 2)
    metrics = posterior_metrics(model, PARAMS, digits(10))
    assert metrics["kl_divergence"] == pytest.approx(0.5 * (0.25 + math.log(4) - 1), rel=1e-6)


def with_samples(count: int) -> EvaluateParams:
    return PARAMS.model_copy(update={"iwae_samples": count})


@pytest.mark.parametrize("samples", [1, 5, 4001])
def test_bounds_are_exact_where_the_latent_says_nothing(samples):
    probability = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    prior = Posterior(torch.zeros(2), torch.zeros(2))
    model = VAE(prior, Constant(torch.logit(probability)), 2)
    split = digits(12)
    image = binarize(split, SEED).double()
    p = probability.double()
    nll = -(image * p.log() + (1 - image) * (1 - p).log()).flatten(1).sum(1).mean().item()
    bounds = likelihood_bounds(model, with_samples(samples), split)
    assert bounds["nll"] == pytest.approx(nll, rel=1e-6)
    assert bounds["elbo"] == pytest.approx(-nll, rel=1e-6)


def test_the_elbo_is_the_mean_over_draws_of_the_posterior():
    model = VAE(Posterior(torch.zeros(1), torch.tensor([math.log(9.0)])), Linear(), 1)
    found = likelihood_bounds(model, with_samples(4000), flat(0))["elbo"]
    draws, weights = np.polynomial.hermite_e.hermegauss(60)
    nll = np.logaddexp(0, 3 * draws[:, None] * np.linspace(-1, 1, 784)).sum(1)  # of black
    kl = 0.5 * (9 - math.log(9) - 1)
    assert found == pytest.approx(-(weights @ nll / weights.sum() + kl), rel=0.01)


@pytest.mark.parametrize("key", ["nll", "nll_gmm"])
def test_bounds_close_in_on_the_likelihood_as_samples_grow(key):
    split = digits(20)
    mixture = fitted_mixture(np.array([0.3, 0.7]), np.array([[1.5], [-1.0]]), np.array([[[0.5]], [[0.7]]]))
    log_var = torch.tensor([-1.0])
    model = VAE(Posterior(torch.tensor([0.3]), log_var), Linear(), 1)
    # log p(image) by quadrature over the one latent dimension
    grid = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    logits = Linear()(grid[:, None].float()).double().flatten(1)
    image = binarize(split, SEED).double().flatten(1)
    log_likelihood = image @ logits.T - nn.functional.softplus(logits).sum(1)
    log_prior = {
        "nll": -0.5 * (grid**2 + math.log(2 * math.pi)),
        "nll_gmm": torch.logaddexp(
            math.log(0.3) - 0.5 * ((grid - 1.5) ** 2 / 0.5 + math.log(2 * math.pi * 0.5)),
            math.log(0.7) - 0.5 * ((grid + 1.0) ** 2 / 0.7 + math.log(2 * math.pi * 0.7)),
        ),
    }[key]
    exact = (torch.logsumexp(log_likelihood + log_prior, 1) + math.log(grid[1] - grid[0])).mean().item()

    found = {samples: likelihood_bounds(model, with_samples(samples), split, mixture) for samples in (1, 4, 32, 2000)}
    assert found[1]["nll"] == pytest.approx(-found[1]["elbo"], rel=1e-6)
    nll = [bounds[key] for bounds in found.values()]
    assert all(tighter < looser + 0.05 for looser, tighter in pairwise(nll))  # the draws differ with k
    assert nll[-1] == pytest.approx(-exact, abs=0.05)
    assert nll[0] > -exact + 0.2


def test_bounds_of_a_part_are_those_of_images_evenly_spread_over_the_split():
    easy, hard = flat(0, 30), flat(51, 30)  # black is certain, grey is drawn
    split = Split(torch.cat([easy.images, hard.images]), torch.cat([easy.labels, hard.labels]))
    model = VAE(Posterior(torch.zeros(2), torch.zeros(2)), Constant(torch.full((1, 28, 28), -2.0)), 2)
    part = likelihood_bounds(model, PARAMS.model_copy(update={"iwae_images": 20}), split)
    whole = binarize(split, SEED)[::3]
    expected = (nn.functional.softplus(torch.tensor(-2.0)) + 2 * whole).flatten(1).sum(1).mean()
    assert part["nll"] == pytest.approx(expected.item(), rel=1e-6)
    assert part["nll"] != pytest.approx(likelihood_bounds(model, PARAMS, split)["nll"], rel=1e-6)


def test_a_bar_sees_all_images_and_changes_nothing():
    model, seen = build(kind="vae", latent_dim=4, network=MLP), []

    def watch(parts):
        for part in parts:
            seen.append(len(part))
            yield part

    params = PARAMS.model_copy(update={"iwae_samples": 1000, "iwae_images": 10})
    with torch.no_grad():
        bounds = likelihood_bounds(model, params, digits(15), watch=watch)
        assert bounds == likelihood_bounds(model, params, digits(15))
    assert seen == [4, 4, 2]


@pytest.mark.parametrize("at_once", [1, 45])
def test_a_likelihood_does_not_depend_on_how_many_latents_are_decoded_at_once(monkeypatch, at_once):
    model, decoded = build(kind="vae", latent_dim=4, network=MLP), []
    assert isinstance(model, VAE)
    model.decoder.register_forward_pre_hook(lambda _, latent: decoded.append(latent[0][..., 0].numel()))
    with torch.no_grad():
        bounds = likelihood_bounds(model, with_samples(7), digits(15))
        assert decoded == [7 * 15]
        decoded.clear()
        monkeypatch.setitem(DECODED_AT_ONCE, "cpu", at_once)
        assert likelihood_bounds(model, with_samples(7), digits(15)) == pytest.approx(bounds, rel=1e-6)
    assert decoded == {1: [15] * 7, 45: [45, 45, 15]}[at_once]


def test_n01_as_the_fitted_mixture_changes_nothing():
    model = build(kind="vae", latent_dim=4, network=MLP)
    with torch.no_grad():
        bounds = likelihood_bounds(model, PARAMS, digits(15), standard_normal(4))
    assert bounds["nll_gmm"] == pytest.approx(bounds["nll"], rel=1e-12)


@pytest.mark.parametrize("samples", [1, 3, 50])
def test_nll_is_never_above_minus_elbo(samples):
    model = build(kind="vae", latent_dim=4, network=MLP)
    with torch.no_grad():
        bounds = likelihood_bounds(model, with_samples(samples), digits(15))
    assert bounds["nll"] <= -bounds["elbo"] + 1e-9


def test_binarization_is_fixed_and_unbiased():
    split = Split(torch.full((400, 1, 28, 28), 51, dtype=torch.uint8), torch.zeros(400, dtype=torch.uint8))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first = binarize(split, SEED)
        torch.manual_seed(6)
        assert torch.equal(binarize(split, SEED), first)
    assert first.unique().tolist() == [0, 1]
    assert first.mean().item() == pytest.approx(0.2, abs=0.003)  # 4 standard errors
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(binarize(split, SEED + 1), first)


def test_binarization_leaves_black_and_white_as_they_are():
    for value in (0, 255):
        assert torch.equal(binarize(flat(value), SEED), torch.full((4, 1, 28, 28), value / 255))


def test_parameters_are_what_the_fit_has_set():
    assert count_parameters(build(kind="pca", latent_dim=20)) == 784 * 21
    ae = 784 * 16 + 16 + 16 * 4 + 4 + 4 * 16 + 16 + 16 * 784 + 784
    assert count_parameters(build(kind="ae", latent_dim=4, network=MLP)) == ae
    assert count_parameters(build(kind="vae", latent_dim=4, network=MLP)) == ae + 16 * 4 + 4
    dense = [(784, 256), (256, 64), (64, 20), (20, 64), (64, 256), (256, 784)]
    assert count_parameters(build(kind="ae_article")) == sum((inputs + 1) * outputs for inputs, outputs in dense)


def test_evaluate_gives_every_metric_of_its_kind():
    train, test = digits(60), digits(30, seed=1)
    common = {
        "reconstruction_mse", "reconstruction_bce", "ssim", "train_reconstruction_mse", "knn_accuracy",
        "linear_probe_accuracy", "active_units", "parameters",
    }  # fmt: skip
    pca = build(kind="pca", latent_dim=4)
    assert isinstance(pca, PCA)
    pca.fit(to_unit_interval(train.images))
    metrics = evaluate(pca, PARAMS, train, test)
    assert metrics.keys() == common | {"explained_variance_ratio"}
    variances = np.linalg.eigvalsh(np.cov(to_unit_interval(train.images).flatten(1).double().T))[::-1]
    assert metrics["explained_variance_ratio"] == pytest.approx(variances[:4] / variances.sum(), rel=1e-4)
    assert metrics["train_reconstruction_mse"] == reconstruction_mse(pca, 16, train)  # of all, where they are few
    assert metrics["train_reconstruction_mse"] < metrics["reconstruction_mse"]  # noise can only be learned by heart
    metrics = evaluate(build(kind="vae", latent_dim=4, network=MLP), PARAMS, train, test)
    variational = common | {"reconstruction_mse_sampled", "kl_divergence", "kl_per_dimension", "elbo", "nll"}
    assert metrics.keys() == variational
    model = build(kind="vae", latent_dim=4, network=MLP)
    assert evaluate(model, PARAMS, train, test, standard_normal(4)).keys() == variational | {"nll_gmm"}
    assert all(np.isfinite(value).all() for value in metrics.values())


@pytest.mark.parametrize("kind", ["pca", "vae_article", "ae", "vae"])
def test_metrics_do_not_depend_on_the_batch_size(kind):
    train, test = digits(60), digits(30, seed=1)
    shape = {} if kind == "vae_article" else {"latent_dim": 4} | ({} if kind == "pca" else {"network": MLP})
    model = build(kind=kind, **shape)
    if isinstance(model, PCA):
        model.fit(to_unit_interval(train.images))
    found = [evaluate(model, PARAMS.model_copy(update={"batch_size": size}), train, test) for size in (1, 7, 1000)]
    for other in found[1:]:
        for name, value in other.items():
            assert value == pytest.approx(found[0][name], rel=1e-5, abs=1e-9), name


def test_evaluation_leaves_the_global_generator_and_the_model_alone():
    model = build(kind="vae", latent_dim=4, network=MLP).eval()
    before, weights = torch.random.get_rng_state(), [value.clone() for value in model.parameters()]
    first = evaluate(model, PARAMS, digits(40), digits(20))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(old, new) for old, new in zip(weights, model.parameters(), strict=True))
    assert evaluate(model, PARAMS, digits(40), digits(20)) == first


def test_encode_gives_the_codes_of_all_images_in_order():
    split = digits(25)
    codes = encode(constant_ae(0.5), 4, split)
    np.testing.assert_array_equal(codes.argmax(1), split.labels.numpy())


def test_what_a_dimension_carries_is_said_in_the_unit_of_the_model():
    codes = np.array([[0.0, 1.0], [0.0, 5.0]])
    assert activity({"kl_per_dimension": [2.0, 0.5]}, codes)[0].tolist() == [2.0, 0.5]
    values, unit = activity({"explained_variance_ratio": [0.6, 0.1]}, codes)
    assert (values.tolist(), unit) == ([0.6, 0.1], "share of the images' variance")
    values, unit = activity({"reconstruction_mse": 0.1}, codes)
    assert (values.tolist(), unit) == ([0.0, 2.0], "standard deviation of the codes")
