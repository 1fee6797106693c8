import numpy as np
import pytest

from autoencoder import sampling
from autoencoder.exported import load_model
from autoencoder.priors import draw_noise, sample
from autoencoder.reader import load_reader
from autoencoder.sampling import DRAWS_PER_IMAGE, draw_samples


@pytest.fixture
def model(export, tmp_path):
    return load_model(export(tmp_path, "vae", "vae"), "cpu")


@pytest.fixture
def reader(export_reader, tmp_path):
    return load_reader(export_reader(tmp_path), "cpu")


def test_samples_are_decoded_draws_of_the_prior(model):
    found = draw_samples(model, "gaussian", 6, seed=3, temperature=0.5)
    expected = sample(model.latents.priors["gaussian"], draw_noise(6, 8, 3), 0.5)
    np.testing.assert_array_equal(found.latents, expected)
    np.testing.assert_array_equal(found.images, model.decode(expected))
    assert found.reading is None
    assert found.drawn == 6


def test_the_classifier_reads_every_sample_and_changes_none(model, reader):
    found = draw_samples(model, "gaussian", 20, seed=0, reader=reader)
    np.testing.assert_array_equal(found.images, draw_samples(model, "gaussian", 20, seed=0).images)
    np.testing.assert_array_equal(found.reading.label, reader.read(found.images).label)


def test_one_digit_alone_are_the_draws_that_read_as_it(model, reader):
    every = draw_samples(model, "gaussian", 9 * DRAWS_PER_IMAGE, seed=0, reader=reader)
    digit = int(np.bincount(every.reading.label).argmax())
    found = draw_samples(model, "gaussian", 9, seed=0, reader=reader, digit=digit)
    assert (found.reading.label == digit).all()
    rows = np.flatnonzero(every.reading.label == digit)[:9]
    np.testing.assert_array_equal(found.latents, every.latents[rows])
    np.testing.assert_allclose(found.images, every.images[rows], atol=1e-6)
    assert found.drawn == rows[-1] + 1


def test_no_more_is_decoded_than_it_takes_to_find_the_digit(model, reader, monkeypatch):
    every = draw_samples(model, "gaussian", 9 * DRAWS_PER_IMAGE, seed=0, reader=reader)
    digit = int(np.bincount(every.reading.label).argmax())
    expected = draw_samples(model, "gaussian", 9, seed=0, reader=reader, digit=digit)
    monkeypatch.setattr(sampling, "READ_AT_ONCE", 10)
    decoded = []
    decode = type(model).decode

    def counted(self, latents):
        decoded.append(len(latents))
        return decode(self, latents)

    monkeypatch.setattr(type(model), "decode", counted)
    found = draw_samples(model, "gaussian", 9, seed=0, reader=reader, digit=digit)
    np.testing.assert_array_equal(found.latents, expected.latents)
    assert found.drawn == expected.drawn
    # what was drawn, the rest of a block, what is shown
    assert sum(decoded) < found.drawn + 10 + 9 < 9 * DRAWS_PER_IMAGE


def test_a_digit_that_is_hardly_ever_drawn_gives_fewer_images(model, reader):
    found = draw_samples(model, "gaussian", 5, seed=0, temperature=0.0, reader=reader, digit=0)
    assert len(found.images) in (0, 5)  # without temperature all draws are the same image
    assert len(found.images) == len(found.reading.label) == len(found.latents)
    other = [d for d in range(10) if len(draw_samples(model, "gaussian", 5, 0, 0.0, reader, d).images) == 0]
    assert len(other) == 9


def test_without_a_classifier_no_digit_can_be_chosen(model):
    with pytest.raises(ValueError, match="only a classifier"):
        draw_samples(model, "normal", 5, seed=0, digit=3)
