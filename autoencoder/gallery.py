"""The pictures of a model's evaluation: composed sheets, ready to be written as PNG."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from autoencoder.data import Split
from autoencoder.images import to_unit_interval
from autoencoder.models import Model
from autoencoder.priors import PRIORS, Prior, draw_noise, sample
from autoencoder.sheets import difference_image, labelled_rows

SAMPLE_SEED = 0  # fixed: a sheet of samples changes with the model, not with the day
COLUMNS = 20
SAMPLES = 3 * COLUMNS
WALK_FRAMES = 11
WALK = (3, 5, 8, 0, 6, 4, 9, 7)  # from each digit to the next: neighbours look alike, and the line between should too


@torch.no_grad()
def reconstructions(model: Model, test: Split) -> UInt8[np.ndarray, "height width 3"]:
    """The first two test images of every digit, their reconstructions, and the signed difference."""
    chosen = [index for digit in range(10) for index in torch.nonzero(test.labels == digit).flatten()[:2].tolist()]
    image = to_unit_interval(test.images[chosen])
    original, reconstruction = _pixels(image), _pixels(model.decode(model.encode(image)))
    return labelled_rows(
        {
            "image": original,
            "reconstruction": reconstruction,
            "difference": difference_image(original, reconstruction),
        }
    )


@torch.no_grad()
def samples(model: Model, priors: Mapping[str, Prior], device: torch.device) -> UInt8[np.ndarray, "height width"]:
    """Decoded samples of every prior, from the same noise."""
    noise = draw_noise(SAMPLES, model.latent_dim, SAMPLE_SEED)
    decoded = {
        PRIORS[name]: _pixels(model.decode(torch.from_numpy(sample(prior, noise)).to(device)))
        for name, prior in priors.items()
    }
    return labelled_rows(decoded, columns=COLUMNS)


@torch.no_grad()
def interpolations(model: Model, test: Split) -> UInt8[np.ndarray, "height width"]:
    """Straight lines in latent space between the first test images of different digits, decoded at equal steps."""
    first = {digit: int(torch.nonzero(test.labels == digit)[0]) for digit in WALK}
    codes = model.encode(to_unit_interval(test.images[[first[digit] for digit in WALK]]))
    weights = torch.linspace(0, 1, WALK_FRAMES, device=codes.device)[:, None]
    return labelled_rows(
        {
            f"{WALK[i]} to {WALK[i + 1]}": _pixels(model.decode(torch.lerp(codes[i], codes[i + 1], weights)))
            for i in range(len(WALK) - 1)
        }
    )


def _pixels(image: Float[Tensor, "n 1 28 28"]) -> Float[np.ndarray, "n 28 28"]:
    return image.squeeze(1).cpu().numpy()
