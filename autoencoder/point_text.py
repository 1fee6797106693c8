"""A point of the latent space as text, for a field and a link."""

import numpy as np
from jaxtyping import Float


def read_point(text: str, latent_dim: int) -> Float[np.ndarray, " latent_dim"]:
    """A latent from numbers between commas or spaces.

    Raises:
        ValueError: says what is wrong with the text.
    """
    parts = text.replace(",", " ").split()
    try:
        point = np.array([float(part) for part in parts])
    except ValueError:
        raise ValueError("A point is numbers with commas between them.") from None
    if len(point) != latent_dim:
        raise ValueError(f"A point of this model has {latent_dim} numbers, not {len(point)}.")
    if not np.isfinite(point).all() or np.abs(point).max() > 1e4:
        raise ValueError("A point has finite numbers, none beyond 10,000.")
    return point


def write_point(point: Float[np.ndarray, " latent_dim"]) -> str:
    """The latent as text for a link: four digits of each number, which no eye can tell from all."""
    return ",".join(f"{value:.4g}" for value in point + 0.0)
