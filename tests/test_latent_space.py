"""Good on good input, bad on bad input: a smooth decoder and one made rough, a prior that fits and one that does not."""

import numpy as np
import pytest
import torch

from autoencoder.classifier import ClassifierParams, Judge, build_classifier, calibrated, fit
from autoencoder.data import Split
from autoencoder.distances import coverage
from autoencoder.images import to_unit_interval
from autoencoder.latent_space import (
    LatentSpaceParams,
    classifier_fid,
    completeness,
    continuity,
    distribution_metrics,
    effective_number,
    judge_latent_space,
    prior_mismatch,
    reference,
)
from autoencoder.models import PCA, VAE, build_model
from autoencoder.priors import PRIORS, fitted_gaussian, standard_normal
from autoencoder.recipe import TRAIN_PARAMS
from autoencoder.subsets import evenly_spread
from tests.small_params import VAE_PARAMS

LATENT_DIM = 10
PARAMS = LatentSpaceParams(
    samples=400,
    coverage_samples=300,
    coverage_neighbors=5,
    mmd_samples=300,
    walks=40,
    walk_frames=5,
    step=0.1,
    noise_seed=20260101,
)


class Rough(PCA):
    """PCA whose decoder jumps: nearby latents decode to far ones."""

    def decode(self, latent):
        return super().decode(latent + 2 * latent.std(0) * torch.sin(1e3 * latent))


@pytest.fixture(scope="module")
def image(digits) -> torch.Tensor:
    return to_unit_interval(torch.from_numpy(digits[0])[:, None])


@pytest.fixture(scope="module")
def judge(digits):
    images, labels = torch.from_numpy(digits[0])[:, None], torch.from_numpy(digits[1])
    train, validation = Split(images[:800], labels[:800]), Split(images[800:1300], labels[800:1300])
    classifier = build_classifier()
    params = ClassifierParams(epochs=5, batch_size=64, learning_rate=0.01, real_acceptance=0.95)
    list(fit(classifier, params, train))
    return calibrated(classifier, params, train, validation)


def fitted(kind: type[PCA], image: torch.Tensor) -> PCA:
    model = kind(LATENT_DIM)
    model.fit(image)
    return model


def codes_of(model: PCA, image: torch.Tensor) -> np.ndarray:
    return model.encode(image).numpy()


def steps(model: PCA, codes: np.ndarray, judge: Judge) -> dict[str, float]:
    return continuity(model, codes, judge(model.decode(torch.from_numpy(codes))), judge, PARAMS)


def test_a_rough_decoder_is_less_continuous(image, judge):
    smooth, rough = (
        steps(model, codes_of(model, image), judge) for model in (fitted(PCA, image), fitted(Rough, image))
    )
    assert rough["normalized_path_length"] > 10 * smooth["normalized_path_length"] > 0
    assert rough["label_flip_rate"] > smooth["label_flip_rate"] + 0.2


def test_between_two_images_lies_less_than_an_image(image, judge):
    model = fitted(PCA, image)
    codes = codes_of(model, image)
    assert steps(model, codes, judge)["midpoint_acceptance"] < 0.8
    accepted = judge(model.decode(model.encode(image))).accepted
    same = np.repeat(codes[accepted][:1], 50, axis=0)  # between an image and itself lies that image
    assert steps(model, same, judge)["midpoint_acceptance"] == 1


def test_a_decoder_that_never_changes_is_not_called_smooth(image, judge):
    model = fitted(PCA, image)
    model.components.zero_()
    found = steps(model, codes_of(fitted(PCA, image), image), judge)
    assert found["normalized_path_length"] == pytest.approx(PARAMS.step**-2)  # as far as to any other image: nowhere
    assert found["label_flip_rate"] == 0


def test_codes_far_out_stretch_a_step_but_not_one_of_the_interquartile_range(image, judge):
    model = fitted(PCA, image)
    codes = codes_of(model, image)
    before = steps(model, codes, judge)
    codes[:: len(codes) // 20] *= 30  # one in a hundred
    after = steps(model, codes, judge)
    assert after["label_flip_rate"] > 3 * before["label_flip_rate"]
    assert after["label_flip_rate_iqr"] == pytest.approx(before["label_flip_rate_iqr"], abs=0.01)


def test_of_gaussian_codes_both_steps_are_the_same(image, judge):
    model = fitted(PCA, image)
    codes = np.random.default_rng(0).standard_normal((1000, LATENT_DIM)).astype(np.float32)
    found = steps(model, codes * codes_of(model, image).std(0), judge)
    assert found["normalized_path_length_iqr"] == pytest.approx(found["normalized_path_length"], rel=0.15)


def test_the_prior_that_fits_the_codes_is_more_complete(image, judge):
    model = fitted(PCA, image)
    codes = codes_of(model, image).astype(np.float64)
    priors = {
        "normal": standard_normal(LATENT_DIM),
        "gaussian": fitted_gaussian(codes.mean(0), np.cov(codes.T)),
        "point": fitted_gaussian(codes.mean(0), np.zeros((LATENT_DIM, LATENT_DIM))),
    }
    real = judge(image).features
    found = completeness(model, priors, judge, real, PARAMS)
    assert found["coverage_gaussian"] > 0.3
    assert found["coverage_point"] < 0.05
    assert found["walk_acceptance_point"] == found["prior_acceptance_point"]  # all walks stay on the point


def test_classifier_fid_tells_digits_from_noise(image, judge):
    real, other = judge(image[:800]).features, judge(image[800:]).features
    noise = judge(torch.rand(800, 1, 28, 28, generator=torch.Generator().manual_seed(0))).features
    assert classifier_fid(judge, real, real) == pytest.approx(0, abs=1e-6)
    assert classifier_fid(judge, real, other) < classifier_fid(judge, real, noise) / 5


def test_real_images_give_the_ceiling_and_the_floor(digits, judge):
    images, labels = torch.from_numpy(digits[0])[:, None], torch.from_numpy(digits[1])
    validation, test = Split(images[:800], labels[:800]), Split(images[800:], labels[800:])
    found = reference(judge, validation, test, PARAMS)
    for prior in PRIORS:
        assert found[f"prior_acceptance_{prior}"] > 0.9
        assert found[f"coverage_{prior}"] > 0.6
    assert found["classifier_accuracy"] == (judge(to_unit_interval(test.images)).label == test.labels.numpy()).mean()
    assert found["classifier_accuracy"] > 0.9
    assert 0 < found["blend_acceptance"] < 0.8  # two digits in one picture
    noise = torch.rand(1000, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert found["noise_acceptance"] == pytest.approx(judge(noise).accepted.mean(), abs=0.1)
    same = reference(judge, test.head(400), test.head(400), PARAMS)
    assert same["classifier_fid_normal"] == pytest.approx(0, abs=1e-6)
    assert same["coverage_normal"] == 1
    spread = evenly_spread(200, 400)
    fewer = Split(test.images[spread], test.labels[spread])  # FID is biased by the sets' sizes: as many of both
    assert reference(judge, fewer, test.head(400), PARAMS)["classifier_fid_normal"] == pytest.approx(0, abs=1e-6)


def test_fewer_images_than_neighbours_are_a_mistake_in_params_yaml(image, judge):
    few = judge(image[:5])
    with pytest.raises(
        ValueError, match=r"^params\.yaml: latent_space\.coverage_neighbors = 5: .* fewer than the 5 images"
    ):
        distribution_metrics(few, judge, few.features, PARAMS)


def test_coverage_looks_at_images_from_all_of_the_split(image, judge):
    real, params = judge(image).features, PARAMS.model_copy(update={"coverage_samples": 100, "samples": len(image)})
    found = distribution_metrics(judge(image), judge, real, params)
    assert found["coverage"] == 1  # the same hundred
    blank = torch.cat([image[: len(image) // 2], torch.zeros_like(image[len(image) // 2 :])])
    halved = distribution_metrics(judge(blank), judge, real, params)["coverage"]
    assert 0.5 <= halved < 1  # the first hundred alone would still be covered


def test_coverage_compares_as_many_real_images_as_samples(image, judge):
    few, many = judge(image[:40]), judge(image[40:120])
    params = PARAMS.model_copy(update={"coverage_samples": 80, "samples": 40})
    found = distribution_metrics(few, judge, many.features, params)
    as_many, neighbors = many.features[::2], params.coverage_neighbors
    assert found["coverage"] == coverage(as_many, few.features, neighbors)
    assert found["coverage"] > coverage(many.features, few.features, neighbors) + 0.05  # held against all of them


def test_codes_of_a_standard_normal_match_the_prior_and_others_do_not(image):
    model = build_model(TRAIN_PARAMS.validate_python(VAE_PARAMS), seed=0)
    assert isinstance(model, VAE)
    with torch.no_grad():  # a posterior that is the prior, whatever the image
        for head in (model.encoder.mean, model.encoder.log_var):
            head.weight.zero_()
            head.bias.zero_()
    assert prior_mismatch(model, image, PARAMS) == pytest.approx(0, abs=0.02)
    with torch.no_grad():
        model.encoder.mean.bias.fill_(2.0)
    assert prior_mismatch(model, image, PARAMS) > 0.5


def test_all_metrics_of_a_model_are_finite_and_the_same_every_time(image, judge):
    model = fitted(PCA, image)
    codes = codes_of(model, image)
    priors = dict.fromkeys(PRIORS, standard_normal(LATENT_DIM))
    first = judge_latent_space(model, image, codes, priors, judge, PARAMS)
    torch.manual_seed(5)
    assert judge_latent_space(model, image, codes, priors, judge, PARAMS) == first
    assert np.isfinite(list(first.values())).all()
    assert len(first) == 5 * len(PRIORS) + 9


def test_reconstructions_are_nearer_to_the_images_than_samples(image, judge):
    model = fitted(PCA, image)
    priors = {"normal": standard_normal(LATENT_DIM)}
    codes = codes_of(model, image)
    found = judge_latent_space(model, image, codes, priors, judge, PARAMS)
    assert found["classifier_fid_reconstruction"] < found["classifier_fid_normal"]
    assert found["coverage_reconstruction"] > found["coverage_normal"]
    some = evenly_spread(PARAMS.samples, len(codes))
    accepted = judge(model.decode(torch.from_numpy(codes[some]))).accepted
    assert found["reconstruction_acceptance"] == accepted.mean() > 0.5


@pytest.mark.parametrize(
    ("labels", "number"),
    [([3], 1), ([8] * 50, 1), ([0, 1, 2, 3] * 5, 4), (list(range(10)), 10), ([1, 1, 1, 7], 4 / 27**0.25)],
)
def test_the_effective_number_of_digits_counts_each_by_how_often_it_comes(labels, number):
    assert effective_number(np.array(labels)) == pytest.approx(number)


def test_a_point_draws_one_digit_and_real_images_all(image, judge):
    model = fitted(PCA, image)
    point = {"point": fitted_gaussian(np.zeros(LATENT_DIM), np.zeros((LATENT_DIM, LATENT_DIM)))}
    real = judge(image)
    assert completeness(model, point, judge, real.features, PARAMS)["digits_drawn_point"] == 1
    assert distribution_metrics(real, judge, real.features, PARAMS)["digits_drawn"] > 9.5
