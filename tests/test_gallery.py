"""The sheets hold the right images in the right places, titles and captions aside."""

from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import ImageFont
from torch import Tensor

from autoencoder import gallery
from autoencoder.classifier import FEATURES, Judge, build_classifier
from autoencoder.data import Split
from autoencoder.images import to_unit_interval
from autoencoder.models import MODEL_PARAMS, build_model
from autoencoder.planes import quantile_grid
from autoencoder.priors import Prior, fitted_gaussian, standard_normal
from autoencoder.sheets import CAPTION_HEIGHT, FONT_SIZE, MARGIN, labelled_rows

CPU = torch.device("cpu")
TILE, GAP = 56, 4  # 28 pixels twice, between tiles
TOP = MARGIN + FONT_SIZE + MARGIN  # below the title


class Identity:
    """Encodes an image as its pixels."""

    latent_dim = 784

    def encode(self, image: Tensor) -> Tensor:
        return image.flatten(1)

    def decode(self, latent: Tensor) -> Tensor:
        return latent.clamp(0, 1).unflatten(-1, (1, 28, 28))


class Two:
    """Decodes two numbers into a flat image whose upper half shows the first, the lower half the second."""

    latent_dim = 2

    def encode(self, image: Tensor) -> Tensor:
        return image[:, 0, [0, 27], 0]

    def decode(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(latent)[..., None, :, None].repeat_interleave(14, -2).expand(-1, 1, 28, 28)


def split(count: int = 40) -> Split:
    images = torch.randint(0, 256, (count, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Split(images, (torch.arange(count) % 10).to(torch.uint8))


def judge(threshold: float) -> Judge:
    """Reads some digit or other; above 1 it is never sure of it, from 0 down always."""
    return Judge(build_classifier().eval(), threshold, np.ones(FEATURES, np.float32))


def label_width(*names: str) -> int:
    font = ImageFont.load_default(FONT_SIZE)
    return 2 * MARGIN + max(round(font.getlength(name)) for name in names)


def small(seed: int = 0):
    params = {"kind": "ae", "latent_dim": 3, "network": {"type": "mlp", "hidden": [16]}}
    return build_model(MODEL_PARAMS.validate_python(params), seed)


def priors_around(mean: float) -> dict[str, Prior]:
    return {"normal": standard_normal(3), "gaussian": fitted_gaussian(np.full(3, mean), np.eye(3))}


def test_reconstructions_show_two_of_every_digit():
    sheet = gallery.reconstructions("identity", Identity(), split())
    left = label_width("image", "reconstruction", "difference")
    rows = [sheet[TOP + row * (TILE + GAP) :][:TILE, left : left + 20 * TILE + 19 * GAP] for row in range(3)]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert (rows[2] == 255).all()
    for column, index in enumerate([index for digit in range(10) for index in (digit, digit + 10)]):
        tile = rows[0][::2, column * (TILE + GAP) :][:, :TILE:2, 0]
        np.testing.assert_array_equal(tile, split().images[index, 0])


def test_samples_show_every_prior_with_one_noise():
    model = small()
    sheet = gallery.samples("small", model, priors_around(0.0), CPU)
    half = 3 * TILE + 2 * GAP
    first, second = slice(TOP, TOP + half), slice(TOP + half + 3 * GAP, TOP + 2 * half + 3 * GAP)
    np.testing.assert_array_equal(sheet[first, -500:], sheet[second, -500:])  # the fit is N(0, I)
    moved = gallery.samples("small", model, priors_around(5.0), CPU)
    np.testing.assert_array_equal(moved[first, -500:], sheet[first, -500:])
    assert not np.array_equal(moved[second, -500:], sheet[second, -500:])


def test_interpolations_go_from_digit_to_digit():
    data = split()
    sheet = gallery.interpolations("identity", Identity(), data, judge(2.0))
    left = label_width(*(f"{a} to {b}" for a, b in pairwise(gallery.WALK)))
    for row, (start, end) in enumerate(pairwise(gallery.WALK)):
        strip = sheet[TOP + row * (TILE + CAPTION_HEIGHT + GAP) :][:TILE:2]
        tiles = [strip[:, left + index * (TILE + GAP) :][:, :TILE:2].astype(float) for index in (0, 5, 10)]
        np.testing.assert_array_equal(tiles[0], data.images[start, 0])
        np.testing.assert_array_equal(tiles[2], data.images[end, 0])
        mean = (data.images[start, 0].float() + data.images[end, 0].float()) / 2
        np.testing.assert_allclose(tiles[1], mean, atol=0.51)


def test_interpolations_say_what_the_classifier_reads():
    doubtful, certain = (gallery.interpolations("identity", Identity(), split(), judge(level)) for level in (2.0, 0.0))
    differing = np.flatnonzero((doubtful != certain).any(axis=1))  # "7?" and "7", below every row and nowhere else
    place = (differing - TOP) % (TILE + CAPTION_HEIGHT + GAP)
    assert ((place >= TILE) & (place < TILE + CAPTION_HEIGHT)).all()
    assert len(differing) >= 7


def test_the_manifold_of_two_dimensions_is_the_prior_cut_into_equal_shares():
    codes = np.array([[100.0, 50.0], [101.0, 48.0], [99.0, 55.0]])  # where the codes lie plays no part
    side = gallery.MANIFOLD_SIDE
    sheet = gallery.manifold("two", Two(), codes, CPU)
    tiles = sheet[TOP : TOP + side * TILE, label_width("") :][:, : side * TILE].reshape(side, TILE, side, TILE)
    expected = 255 / (1 + np.exp(-quantile_grid(side).reshape(side, side, 2)))
    np.testing.assert_allclose(tiles[:, 3, :, 3], expected[..., 0], atol=0.51)
    np.testing.assert_allclose(tiles[:, -3, :, -3], expected[..., 1], atol=0.51)


def test_the_manifold_says_how_many_codes_lie_in_it():
    with mock.patch.object(gallery, "labelled_rows", wraps=labelled_rows) as rows:
        gallery.manifold("two", Two(), np.array([[1.8, -1.8], [0.0, 1.9], [-100.0, 0.0], [0.0, 0.0]]), CPU)
    title = "two: the latent plane on the quantile grid of N(0, I), decoded; 50% of the codes lie in it"
    assert rows.call_args.kwargs["title"] == title


def test_the_manifold_of_more_dimensions_follows_the_codes():
    model = small()
    codes = np.random.default_rng(0).normal(size=(50, 3)) * [3, 2, 0.1]
    first = gallery.manifold("small", model, codes, CPU)
    np.testing.assert_array_equal(gallery.manifold("small", model, codes, CPU), first)
    assert not np.array_equal(gallery.manifold("small", model, codes + 1, CPU), first)


def test_traversals_move_the_most_active_dimension_first():
    codes = np.array([[0.5, -0.5], [1.5, 0.5], [-0.5, -1.5]])
    sheet = gallery.traversals("two", Two(), codes, np.array([0.1, 2.0]), CPU)
    left = label_width("dimension 0", "dimension 1")
    steps = len(gallery.TRAVERSAL)
    upper, lower = (
        np.stack([sheet[TOP + row * (TILE + CAPTION_HEIGHT + GAP) :][:TILE, left:][[3, -3], 3 + i * (TILE + GAP)] for i in range(steps)])
        for row in range(2)
    )  # fmt: skip
    moved = codes.mean(0) + np.outer(gallery.TRAVERSAL, codes.std(0))
    shown = 255 / (1 + np.exp(-moved))
    still = 255 / (1 + np.exp(-codes[0]))
    np.testing.assert_allclose(upper, np.stack([np.full(steps, still[0]), shown[:, 1]], 1), atol=0.51)
    np.testing.assert_allclose(lower, np.stack([shown[:, 0], np.full(steps, still[1])], 1), atol=0.51)


def test_no_more_rows_than_can_be_read():
    codes = to_unit_interval(split().images).flatten(1).numpy()
    sheet = gallery.traversals("identity", Identity(), codes, codes.std(0), CPU)
    rows = gallery.TRAVERSED
    assert sheet.shape[0] == TOP + rows * (TILE + CAPTION_HEIGHT) + (rows - 1) * GAP + MARGIN


@pytest.mark.parametrize("draw", ["reconstructions", "samples", "interpolations", "manifold", "traversals"])
def test_sheets_are_the_same_every_time_and_follow_the_model(draw):
    codes = np.random.default_rng(0).normal(size=(40, 3))

    def sheet(seed: int) -> np.ndarray:
        rest = {
            "reconstructions": (split(),),
            "samples": (priors_around(0.0), CPU),
            "interpolations": (split(), judge(2.0)),
            "manifold": (codes, CPU),
            "traversals": (codes, codes.std(0), CPU),
        }
        return getattr(gallery, draw)("small", small(seed), *rest[draw])

    first = sheet(0)
    with torch.random.fork_rng():
        torch.manual_seed(11)
        np.testing.assert_array_equal(sheet(0), first)
    assert not np.array_equal(sheet(1), first)
    assert first.dtype == np.uint8
