"""The sheets of images of a model's evaluation, each with its title, ready to be written as PNG."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from autoencoder.classifier import Judge
from autoencoder.data import Split
from autoencoder.images import to_unit_interval
from autoencoder.models import Model
from autoencoder.planes import principal_plane, quantile_grid
from autoencoder.priors import PRIORS, Prior, draw_noise, sample
from autoencoder.sheets import difference_image, labelled_rows

SAMPLE_SEED = 0  # fixed: a sheet of samples changes with the model, not with the day
COLUMNS = 20
SAMPLES = 3 * COLUMNS
WALK_FRAMES = 11
WALK = (3, 5, 8, 0, 6, 4, 9, 7)  # from each digit to the next: neighbours look alike, and the line between should too
MANIFOLD_SIDE = 16
TRAVERSED = 8  # dimensions at most
TRAVERSAL = np.linspace(-3, 3, 13)  # standard deviations of the codes

Sheet = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]
Codes = Float[np.ndarray, "n latent_dim"]


@torch.no_grad()
def reconstructions(name: str, model: Model, test: Split) -> Sheet:
    """The first two test images of every digit, their reconstructions, and the signed difference."""
    chosen = [index for digit in range(10) for index in torch.nonzero(test.labels == digit).flatten()[:2].tolist()]
    image = to_unit_interval(test.images[chosen])
    original, reconstruction = _pixels(image), _pixels(model.decode(model.encode(image)))
    return labelled_rows(
        {
            "image": original,
            "reconstruction": reconstruction,
            "difference": difference_image(original, reconstruction),
        },
        title=f"{name}: test images, reconstructed (red: too bright, blue: too dark)",
    )


@torch.no_grad()
def samples(name: str, model: Model, priors: Mapping[str, Prior], device: torch.device) -> Sheet:
    """Decoded samples of every prior, from the same noise."""
    noise = draw_noise(SAMPLES, model.latent_dim, SAMPLE_SEED)
    decoded = {PRIORS[key]: _decode(model, sample(prior, noise), device) for key, prior in priors.items()}
    title = f"{name}: samples of N(0, I), and of a Gaussian and a mixture fitted to the training codes, decoded"
    return labelled_rows(decoded, columns=COLUMNS, title=title)


@torch.no_grad()
def interpolations(name: str, model: Model, test: Split, judge: Judge) -> Sheet:
    """Straight lines in latent space between the first test images of different digits, decoded at equal steps."""
    first = {digit: int(torch.nonzero(test.labels == digit)[0]) for digit in WALK}
    codes = model.encode(to_unit_interval(test.images[[first[digit] for digit in WALK]]))
    weights = torch.linspace(0, 1, WALK_FRAMES, device=codes.device)[:, None]
    rows, readings = {}, {}
    for index in range(len(WALK) - 1):
        frames = model.decode(torch.lerp(codes[index], codes[index + 1], weights))
        judged = judge(frames)
        row = f"{WALK[index]} to {WALK[index + 1]}"
        rows[row] = _pixels(frames)
        readings[row] = [
            f"{label}" if sure else f"{label}?" for label, sure in zip(judged.label, judged.accepted, strict=True)
        ]
    title = f"{name}: straight walks between the codes of two images; below, what the classifier reads (?: in doubt)"
    return labelled_rows(rows, title=title, captions=readings)


@torch.no_grad()
def manifold(name: str, model: Model, codes: Codes, device: torch.device) -> Sheet:
    """A plane of the latent space, decoded at points that cut a Gaussian there into equal shares.

    Of two dimensions it is the prior N(0, I) itself. Of more, the plane of the codes' two main axes, scaled to them.
    """
    plane, grid = principal_plane(codes), quantile_grid(MANIFOLD_SIDE)
    if model.latent_dim <= 2:
        inside = (np.abs(plane.coordinates(codes)) <= grid.max()).all(1).mean()
        words = f"the latent plane on the quantile grid of N(0, I), decoded; {inside:.0%} of the codes lie in it"
    else:
        grid = grid * plane.coordinates(codes).std(0)
        words = "the plane of the codes' two main axes on a quantile grid of their Gaussian, decoded"
    decoded = _decode(model, plane.codes(grid).astype(np.float32), device)
    return labelled_rows({"": decoded}, scale=2, gap=0, columns=MANIFOLD_SIDE, title=f"{name}: {words}")


@torch.no_grad()
def traversals(
    name: str, model: Model, codes: Codes, activity: Float[np.ndarray, " latent_dim"], device: torch.device
) -> Sheet:
    """One test image whose latent dimensions are moved one at a time, the most active first."""
    spread = codes.std(0)
    rows = {}
    for dimension in np.argsort(-activity, kind="stable")[:TRAVERSED]:
        moved = np.repeat(codes[:1], len(TRAVERSAL), axis=0)
        moved[:, dimension] = codes[:, dimension].mean() + TRAVERSAL * spread[dimension]
        rows[f"dimension {dimension}"] = _decode(model, moved.astype(np.float32), device)
    captions = {row: [f"{step:+.1f}" if step else "0" for step in TRAVERSAL] for row in rows}
    title = f"{name}: one code, its most active dimensions moved (standard deviations from the mean)"
    return labelled_rows(rows, title=title, captions=captions)


def _decode(
    model: Model, latent: Float[np.ndarray, "n latent_dim"], device: torch.device
) -> Float[np.ndarray, "n 28 28"]:
    return _pixels(model.decode(torch.from_numpy(latent).to(device)))


def _pixels(image: Float[Tensor, "n 1 28 28"]) -> Float[np.ndarray, "n 28 28"]:
    return image.squeeze(1).cpu().numpy()
