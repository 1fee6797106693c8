import hashlib

import numpy as np
import pytest
import torch

from autoencoder.classifier import (
    FEATURES,
    ClassifierParams,
    Judge,
    build_classifier,
    calibrated,
    fit,
    load_judge,
    save_judge,
    shifted,
    triangle,
)
from autoencoder.data import Split
from autoencoder.images import to_unit_interval

PARAMS = ClassifierParams(epochs=6, batch_size=64, learning_rate=0.01, real_acceptance=0.95)


@pytest.fixture(scope="module")
def splits(digits) -> tuple[Split, Split, Split]:
    """Training, validation and test images of scikit-learn's digits."""
    images, labels = torch.from_numpy(digits[0])[:, None], torch.from_numpy(digits[1])
    train, validation, test = slice(800), slice(800, 1300), slice(1300, None)
    return (
        Split(images[train], labels[train]),
        Split(images[validation], labels[validation]),
        Split(images[test], labels[test]),
    )


@pytest.fixture(scope="module")
def judge(splits):
    classifier = build_classifier()
    list(fit(classifier, PARAMS, splits[0]))
    return calibrated(classifier, PARAMS, *splits[:2])


def test_it_learns_to_tell_digits_apart(splits, judge):
    test = splits[2]
    label = judge(to_unit_interval(test.images)).label
    assert (label == test.labels.numpy()).mean() > 0.9


def test_it_accepts_95_percent_of_the_images_it_is_calibrated_on(splits, judge):
    validation = splits[1]
    assert judge(to_unit_interval(validation.images)).accepted.mean() == pytest.approx(0.95, abs=0.01)


def test_the_share_it_accepts_is_a_parameter(splits, judge):
    strict = calibrated(judge.classifier, PARAMS.model_copy(update={"real_acceptance": 0.5}), *splits[:2])
    assert strict.threshold > judge.threshold
    assert strict(to_unit_interval(splits[1].images)).accepted.mean() == pytest.approx(0.5, abs=0.01)


def test_as_sure_as_the_threshold_is_sure_enough():
    undecided = build_classifier().eval()
    for parameter in undecided.parameters():
        parameter.data.zero_()
    images = torch.rand(3, 1, 28, 28)  # each digit is as likely as another
    assert Judge(undecided, 0.1, np.ones(FEATURES, np.float32))(images).accepted.all()
    assert not Judge(undecided, 0.101, np.ones(FEATURES, np.float32))(images).accepted.any()


def test_it_is_less_often_sure_of_two_digits_in_one_picture(splits, judge):
    image, labels = to_unit_interval(splits[2].images), splits[2].labels
    blends = ((image + image.roll(1, 0)) / 2)[labels != labels.roll(1)]
    assert len(blends) > 300
    assert judge(blends).accepted.mean() < 0.7  # .43 to .52 with four seeds
    assert judge(image).accepted.mean() > 0.8


def test_the_spread_is_that_of_the_training_features(splits, judge):
    features = judge(to_unit_interval(splits[0].images)).features
    expected = features.std(0, ddof=1, dtype=np.float64)
    np.testing.assert_allclose(judge.feature_std, expected.clip(0.1 * expected.mean()), rtol=1e-4)


def test_training_again_gives_the_same_weights_whatever_torch_drew_before(splits, judge):
    torch.manual_seed(123)
    again = build_classifier()
    list(fit(again, PARAMS, splits[0]))
    for name, value in judge.classifier.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_every_parameter_gets_a_gradient():
    model = build_classifier()
    model(torch.rand(4, 1, 28, 28)).logsumexp(1).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_saved_and_loaded_it_says_the_same(judge, splits, tmp_path):
    image = to_unit_interval(splits[2].images)
    save_judge(tmp_path / "a" / "model.pt", judge)
    save_judge(tmp_path / "b" / "other.pt", judge)
    assert (tmp_path / "a" / "model.pt").read_bytes() == (tmp_path / "b" / "other.pt").read_bytes()
    loaded, fingerprint = load_judge(tmp_path / "a" / "model.pt", torch.device("cpu"))
    assert loaded.threshold == judge.threshold
    assert fingerprint == hashlib.sha256((tmp_path / "a" / "model.pt").read_bytes()).hexdigest()
    np.testing.assert_allclose(loaded(image).features, judge(image).features, atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", None])
def test_a_file_that_is_no_classifier_is_named(content, tmp_path):
    path = tmp_path / "model.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.pt is no usable classifier \("):
        load_judge(path, torch.device("cpu"))


def test_a_training_of_one_step_takes_it(splits):
    model, before = build_classifier(), build_classifier()
    list(fit(model, PARAMS.model_copy(update={"epochs": 1, "batch_size": 10**6}), splits[0]))
    assert not torch.equal(model.head.weight, before.head.weight)


def test_the_last_of_several_steps_has_a_rate_of_0(splits):
    model = build_classifier()
    epochs = fit(model, PARAMS.model_copy(update={"epochs": 2, "batch_size": 10**6}), splits[0])
    next(epochs)
    first = model.head.weight.detach().clone()
    list(epochs)
    assert torch.equal(model.head.weight, first)


def test_every_step_sees_its_images_at_another_place(splits):
    still = PARAMS.model_copy(update={"epochs": 3, "batch_size": 10**6, "learning_rate": 1e-12})
    losses = list(fit(build_classifier(), still, splits[0]))
    assert np.ptp(losses) > 1e-4  # of the same images at the same place: rounding


def test_a_training_that_diverges_says_so(splits):
    params = PARAMS.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(ValueError, match=r"params\.yaml: classifier: the loss is .*smaller learning_rate"):
        list(fit(build_classifier(), params, splits[0]))


def test_a_classifier_that_learned_nothing_is_no_judge(splits):
    dead = build_classifier()
    for parameter in dead.parameters():
        parameter.data.zero_()
    with pytest.raises(
        ValueError, match=r"params\.yaml: classifier: it has learned nothing, .* learning_rate \(now 0\.01\)"
    ):
        calibrated(dead, PARAMS, *splits[:2])


def test_shifting_moves_the_picture_and_loses_only_its_edge():
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 14, 14] = 1
    generator = torch.Generator().manual_seed(0)
    found = {tuple(shifted(image, generator)[0, 0].nonzero()[0].tolist()) for _ in range(300)}
    assert found == {(row, column) for row in range(12, 17) for column in range(12, 17)}


def test_the_learning_rate_rises_and_falls_to_0():
    assert [triangle(progress) for progress in (0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.5, 1.0, 0.5, 0.0])
