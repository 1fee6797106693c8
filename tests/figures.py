"""Made-up figures of models, in which both claims hold."""

from autoencoder.comparison import Models

NETWORK = {"type": "mlp", "hidden": [8]}
MODELS: Models = {
    "pca": {"kind": "pca", "latent_dim": 20},
    "vae_article": {"kind": "vae_article", "epochs": 10},
    "ae": {"kind": "ae", "latent_dim": 20, "network": NETWORK},
    "vae": {"kind": "vae", "latent_dim": 20, "network": NETWORK, "epochs": 20},
    "vae_other": {"kind": "vae", "latent_dim": 20, "network": {**NETWORK, "hidden": [9]}, "epochs": 20},
    "ae_2d": {"kind": "ae", "latent_dim": 2, "network": NETWORK},
    "vae_2d": {"kind": "vae", "latent_dim": 2, "network": NETWORK, "epochs": 20},
}


def rows(**changes: float) -> dict[str, dict[str, list[float]]]:
    """Figures in which both claims hold; `vae__nll=3` changes one."""
    found = {
        "pca": {"reconstruction_mse": 0.022, "parameters": 16_464},
        "ae": {
            "parameters": 1_900_000,
            "active_units": 20,
            "reconstruction_mse": 0.006,
            "label_flip_rate": 0.3,
            "normalized_path_length": 20.0,
            "label_flip_rate_iqr": 0.2,
            "normalized_path_length_iqr": 8.0,
            "midpoint_acceptance": 0.40,
            "reconstruction_acceptance": 0.93,
            "prior_acceptance_normal": 0.07,
            "digits_drawn_normal": 2.5,
            "coverage_normal": 0.06,
            "prior_acceptance_gmm": 0.6,
            "digits_drawn_gmm": 9.3,
            "coverage_gaussian": 0.3,
            "coverage_gmm": 0.8,
            "coverage_reconstruction": 0.99,
            "classifier_fid_gmm": 3.0,
            "classifier_fid_reconstruction": 0.3,
        },
        "vae": {
            "parameters": 2_100_000,
            "active_units": 11,
            "reconstruction_mse": 0.009,
            "label_flip_rate": 0.1,
            "normalized_path_length": 4.0,
            "label_flip_rate_iqr": 0.1,
            "normalized_path_length_iqr": 4.0,
            "midpoint_acceptance": 0.50,
            "reconstruction_acceptance": 0.91,
            "prior_acceptance_normal": 0.41,
            "digits_drawn_normal": 9.4,
            "coverage_normal": 0.59,
            "prior_acceptance_gmm": 0.7,
            "digits_drawn_gmm": 9.5,
            "coverage_gmm": 0.85,
            "coverage_reconstruction": 0.98,
            "nll": 89.5,
            "nll_gmm": 88.75,
            "classifier_fid_normal": 8.4,
            "classifier_fid_gmm": 2.9,
            "classifier_fid_reconstruction": 1.1,
        },
        "real": {
            "prior_acceptance_normal": 0.95,
            "coverage_normal": 0.93,
            "midpoint_acceptance": 0.95,
            "classifier_accuracy": 0.993,
            "blend_acceptance": 0.29,
            "noise_acceptance": 1.0,
        },
    }
    found["vae_article"] = {
        **found["vae"],
        "parameters": 440_000,
        "reconstruction_mse": 0.07,
        "reconstruction_mse_sampled": 0.04,
        "active_units": 2,
        "coverage_normal": 0.15,
        "coverage_gmm": 0.1,
        "classifier_fid_gmm": 36.0,
        "classifier_fid_reconstruction": 35.0,
    }
    for key, value in changes.items():
        model, metric = key.split("__")
        found[model][metric] = value
    return {model: {metric: [value] for metric, value in row.items()} for model, row in found.items()}
