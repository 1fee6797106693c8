"""Distances between two sets of points: arrays in, one number out. No torch, no models.

Every function takes one point per row; what the points are (features of images, latents) is the caller's business.
"""

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh
from scipy.spatial.distance import cdist, pdist
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

MMD_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # Tolstikhin et al. 2018, appendix: C = scale * 2 * latent_dim


def frechet_distance(a: Float[np.ndarray, "n dim"], b: Float[np.ndarray, "m dim"]) -> float:
    """Squared 2-Wasserstein distance of the Gaussians with the sets' moments (Heusel et al. 2017, eq. 6).

    Not below 0; 0 for equal moments. Biased upwards by finite samples: compare sets of the same sizes only.
    """
    # on matrices so small more threads only wait for each other
    with threadpool_limits(1, user_api="blas"):
        mean_a, mean_b = a.mean(0, dtype=np.float64), b.mean(0, dtype=np.float64)
        cov_a, cov_b = (np.atleast_2d(np.cov(points, rowvar=False, dtype=np.float64)) for points in (a, b))
        # tr (A B)^(1/2) from the symmetric A^(1/2) B A^(1/2), which has the same eigenvalues: real, whatever the rounding
        variances, directions = eigh(cov_a)
        root = (directions * np.sqrt(variances.clip(min=0))) @ directions.T
        cross = np.sqrt(eigh(root @ cov_b @ root, eigvals_only=True).clip(min=0)).sum()
    distance = np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross
    return max(float(distance), 0.0)


def coverage(real: Float[np.ndarray, "n dim"], generated: Float[np.ndarray, "m dim"], neighbors: int) -> float:
    """Share of real points that have a generated one within the distance to their k-th nearest real neighbour.

    Naeem et al. 2020, eq. 9. Between 0 and 1; two samples of one law reach about 1 - 1 / 2^k.

    Raises:
        ValueError: there are not more real points than neighbours asked for.
    """
    if len(real) <= neighbors:
        raise ValueError(f"coverage with {neighbors} neighbours needs more than {len(real)} real points")
    radius = NearestNeighbors(n_neighbors=neighbors).fit(real).kneighbors()[0][:, -1]
    nearest = NearestNeighbors(n_neighbors=1).fit(generated).kneighbors(real)[0][:, 0]
    return float((nearest <= radius).mean())


def mmd(a: Float[np.ndarray, "n dim"], b: Float[np.ndarray, "m dim"]) -> float:
    """Squared maximum mean discrepancy with inverse multiquadric kernels, unbiased (Gretton et al. 2012, eq. 3).

    The kernels and their scales are those of Tolstikhin et al. 2018 for a prior of unit variance. Unbiased: for two
    samples of one law it scatters around 0 and may be negative.
    """
    dim = a.shape[1]

    def kernel(squared_distance: np.ndarray) -> np.ndarray:
        total, part = np.zeros_like(squared_distance), np.empty_like(squared_distance)
        for scale in (2 * dim * scale for scale in MMD_SCALES):
            np.add(scale, squared_distance, out=part)
            total += np.divide(scale, part, out=part)
        return total

    within = sum(kernel(pdist(points, "sqeuclidean")).mean() for points in (a, b))
    return float(within - 2 * kernel(cdist(a, b, "sqeuclidean")).mean())
