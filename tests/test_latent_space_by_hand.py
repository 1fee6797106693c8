"""The metrics of latent_space.py to the digit, where they can be worked out: linear decoders, features one can name."""

import numpy as np
import pytest
import torch

from autoencoder.classifier import Judge, Judgement, build_classifier
from autoencoder.data import Split
from autoencoder.distances import coverage, frechet_distance
from autoencoder.latent_space import (
    PAIRS,
    WALKS,
    LatentSpaceParams,
    classifier_fid,
    completeness,
    continuity,
    judge_latent_space,
    reference,
)
from autoencoder.models import PCA
from autoencoder.priors import draw_noise, sample, standard_normal
from autoencoder.subsets import evenly_spread

PARAMS = LatentSpaceParams(
    samples=20_000,
    coverage_samples=20_000,
    coverage_neighbors=5,
    mmd_samples=50,
    walks=30,
    walk_frames=5,
    step=0.1,
    noise_seed=20260101,
)
FEATURES = 128


class Pixels(Judge):
    """A classifier whose features are a picture's first pixels: sure where one of the first ten is bright, of its place."""

    def __init__(self, threshold=0.9, feature_std=None):
        spread = np.ones(FEATURES, np.float32) if feature_std is None else feature_std
        super().__init__(build_classifier(), threshold, spread)  # which is never asked

    def __call__(self, image):
        features = image.flatten(1)[:, :FEATURES].numpy()
        confidence, label = features[:, :10].max(1), features[:, :10].argmax(1)
        return Judgement(features, confidence >= self.threshold, label)


class Linear(PCA):
    """A decoder that writes `matrix @ latent` into the first pixels, far from 0 and 1, and remembers what it decoded."""

    def __init__(self, matrix):
        super().__init__(len(matrix[0]))
        self.mean.fill_(0.5)
        self.components[:, : len(matrix)] = 0.01 * torch.tensor(matrix).T
        self.decoded = []

    def decode(self, latent):
        self.decoded.append(latent.numpy())
        return super().decode(latent)


def gaussian_codes(covariance, count=20_000):
    noise = np.random.default_rng(0).standard_normal((count, len(covariance)))
    return (noise @ np.linalg.cholesky(covariance).T).astype(np.float32)


@pytest.mark.parametrize(
    ("matrix", "covariance", "expected"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], 0.5),
        ([[3.0, 0.0], [0.0, 0.2], [1.0, 1.0]], [[4.0, 0.0], [0.0, 0.25]], 0.5),  # whatever the scales
        # a step has the codes' variances, not their covariance: moves a sum by 1 + 1 where codes differ by 1 + 1 + 1.6
        ([[1.0, 1.0]], [[1.0, 0.8], [0.8, 1.0]], 0.5 * 2 / 3.6),
    ],
)
def test_path_length_of_a_linear_decoder(matrix, covariance, expected):
    model, codes = Linear(matrix), gaussian_codes(covariance)
    found = continuity(model, codes, Pixels()(model.decode(torch.from_numpy(codes))), Pixels(), PARAMS)
    assert found["normalized_path_length"] == pytest.approx(expected, rel=0.03)
    assert found["normalized_path_length_iqr"] == pytest.approx(expected, rel=0.03)  # of Gaussians the same spread


def test_midpoints_lie_halfway_between_a_code_and_another():
    model, codes = Linear([[1.0, 0.0], [0.0, 1.0]]), gaussian_codes(np.eye(2), 50)
    continuity(model, codes, Pixels()(model.decode(torch.from_numpy(codes))), Pixels(), PARAMS)
    other_ends = 2 * model.decoded[1] - codes
    np.testing.assert_allclose(np.sort(other_ends, axis=0), np.sort(codes, axis=0), atol=1e-6)  # every code once


def test_walks_go_from_sample_to_sample_in_equal_steps():
    model, prior = Linear([[1.0, 0.0], [0.0, 1.0]]), standard_normal(2)
    params = PARAMS.model_copy(update={"samples": 20, "coverage_samples": 20})
    real = np.random.default_rng(0).random((20, FEATURES), np.float32)
    completeness(model, {"normal": prior}, Pixels(), real, params)
    frames = model.decoded[-1].reshape(params.walk_frames, params.walks, 2)
    ends = sample(prior, draw_noise(2 * params.walks, 2, params.noise_seed + WALKS)).reshape(2, params.walks, 2)
    np.testing.assert_allclose(frames[[0, -1]], ends, atol=1e-6)
    np.testing.assert_allclose(np.diff(frames, axis=0), np.broadcast_to((ends[1] - ends[0]) / 4, (4, 30, 2)), atol=1e-6)


def test_classifier_fid_is_the_distance_of_features_in_units_of_their_spread():
    generator = np.random.default_rng(0)
    real, generated = generator.random((300, FEATURES), np.float32), generator.random((300, FEATURES), np.float32) ** 2
    spread = np.linspace(0.1, 3, FEATURES, dtype=np.float32)
    found = classifier_fid(Pixels(feature_std=spread), real * spread, generated * spread)
    assert found == pytest.approx(frechet_distance(real, generated), rel=1e-4)


@pytest.mark.parametrize(("threshold", "accepted"), [(0.45, 1), (0.55, 0)])
def test_blends_are_the_averages_of_two_different_digits(threshold, accepted):
    labels = torch.arange(10, dtype=torch.uint8).repeat(20)
    images = torch.zeros(len(labels), 1, 28, 28, dtype=torch.uint8)
    images.flatten(1).scatter_(1, labels.long()[:, None], 255)  # an average of two equal digits is as bright as one
    partner = np.random.default_rng(PARAMS.noise_seed + PAIRS).permutation(len(labels))
    assert (labels == labels[partner]).any()
    split = Split(images, labels)
    found = reference(Pixels(threshold=threshold), split, split, PARAMS)
    assert found["midpoint_acceptance"] == 1
    assert found["blend_acceptance"] == accepted


@pytest.mark.parametrize("samples", [120, 80, 70])
def test_reconstructions_are_to_cover_their_own_images(samples):
    image = torch.full((120, 1, 28, 28), 0.5)
    image[:, 0, 0, :3] = torch.rand(120, 3, generator=torch.Generator().manual_seed(0))
    model = PCA(2)  # of three dimensions, so that some images are not covered
    model.fit(image)
    codes = model.encode(image).numpy()
    params = PARAMS.model_copy(update={"samples": samples, "coverage_samples": 60, "coverage_neighbors": 3})
    found = judge_latent_space(model, image, codes, {}, Pixels(), params)
    chosen = evenly_spread(samples, 120)[evenly_spread(60, samples)]
    real, reconstructed = (
        Pixels()(pictures[torch.from_numpy(chosen)]).features for pictures in (image, model.decode(model.encode(image)))
    )
    assert found["coverage_reconstruction"] == coverage(real, reconstructed, 3)
    assert found["coverage_reconstruction"] != coverage(reconstructed, real, 3)
