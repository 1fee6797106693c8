"""params.yaml of a project small enough to run in a test: every section but the models is the same everywhere.

The two kinds of model that one can tune are here to be changed: `{**VAE_PARAMS, "epochs": 60}`.
"""

from typing import Any

AE_PARAMS: dict[str, Any] = {
    "kind": "ae",
    "latent_dim": 4,
    "network": {"type": "mlp", "hidden": [32]},
    "likelihood": "bernoulli",
    "binarize": "none",
    "optimizer": "adamw",
    "epochs": 4,
    "batch_size": 16,
    "learning_rate": 0.01,
    "learning_rate_warmup": 0.1,
    "weight_decay": 0.01,
    "grad_clip": 5.0,
}
VAE_PARAMS: dict[str, Any] = {**AE_PARAMS, "kind": "vae", "beta": 1.0, "kl_warmup": 0.1, "importance_samples": 1}


_MLP = {"type": "mlp", "hidden": [12, 8]}
_CONV = {"type": "conv", "channels": [3, 4], "blocks": 1, "hidden": [12]}
# What shapes a model, of each kind and network: what is built, saved and exported, but not trained.
KINDS: dict[str, dict[str, Any]] = {
    "pca": {"kind": "pca", "latent_dim": 3},
    "ae_article": {"kind": "ae_article"},
    "vae_article": {"kind": "vae_article"},
    "ae_mlp": {"kind": "ae", "latent_dim": 3, "network": _MLP},
    "vae_mlp": {"kind": "vae", "latent_dim": 3, "network": _MLP},
    "ae_conv": {"kind": "ae", "latent_dim": 3, "network": _CONV},
    "vae_conv": {"kind": "vae", "latent_dim": 3, "network": {**_CONV, "channels": [3]}},
}
EVALUATE_PARAMS = {"batch_size": 1000, "iwae_samples": 2, "iwae_images": 1000, "neighbors": 5}


def small_params(models: dict[str, Any], validation_size: int = 240, **evaluate: int) -> dict[str, Any]:
    """All sections, over scikit-learn's digits; `evaluate` says what in that section is to be another value."""
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
        "evaluate": {"active_variance": 0.01, "noise_seed": 20080601, **EVALUATE_PARAMS, **evaluate},
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
