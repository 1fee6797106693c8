"""Which of the measured figures `dvc metrics` shows, and with how many digits; catalog.py says what they mean."""

from collections.abc import Mapping
from typing import Any

SIGNIFICANT_DIGITS = 5
# A table that people diff must fit a screen: one figure or two for each question, the rest is in details/.
HEADLINE = (
    "reconstruction_mse",
    "kl_divergence",
    "active_units",
    "nll",
    "knn_accuracy",
    "label_flip_rate",
    "normalized_path_length",
    "midpoint_acceptance",
    "prior_acceptance_normal",
    "coverage_normal",
    "coverage_gmm",
    "classifier_fid_gmm",
)


def headline(metrics: Mapping[str, Any]) -> dict[str, float | int]:
    """The figures for metrics/<model>.json."""
    return {name: value for name, value in metrics.items() if name in HEADLINE}


def significant(value: float | int | list[float]) -> float | int | list[float]:
    """Rounded to as many digits as a diff should show; whole numbers stay whole."""
    if isinstance(value, list):
        return [float(f"{item:.{SIGNIFICANT_DIGITS}g}") for item in value]
    return value if isinstance(value, int) else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
