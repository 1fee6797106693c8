"""params.yaml of a project small enough to run in a test: every section but the models is the same everywhere."""

from typing import Any


def small_params(models: dict[str, Any], validation_size: int, evaluate: dict[str, int]) -> dict[str, Any]:
    """All sections, over scikit-learn's digits."""
    return {
        "seed": 0,
        "data": {
            "dataset": "digits",
            "validation_size": validation_size,
            "mirrors": {name: ["http://localhost/"] for name in ("mnist", "fashion_mnist", "kmnist")},
        },
        "classifier": {"epochs": 2, "batch_size": 32, "learning_rate": 0.01, "real_acceptance": 0.95},
        "models": models,
        "density": {"components": 2, "codes": 200},
        "export": {"opset": 20},
        "evaluate": {"active_variance": 0.01, "noise_seed": 20080601, **evaluate},
        "latent_space": {
            "samples": 60,
            "coverage_samples": 50,
            "coverage_neighbors": 3,
            "mmd_samples": 40,
            "walks": 10,
            "walk_frames": 5,
            "step": 0.1,
            "noise_seed": 20260101,
        },
    }
