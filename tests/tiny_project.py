"""A project with tiny networks and the first digits of scikit-learn, and its stages, in this process or another."""

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from autoencoder.datasets import make_digits, write_dataset
from scripts.dvc_command import commands
from tests.small_params import VAE_PARAMS, small_params

ROOT = Path(__file__).parents[1]
TRAIN, TEST, VALIDATION = 300, 60, 60
NETWORK = {"type": "mlp", "hidden": [16]}
PARAMS = small_params(
    models={
        "pca": {"kind": "pca", "latent_dim": 3},
        "vae": {**VAE_PARAMS, "latent_dim": 3, "network": NETWORK, "epochs": 2, "batch_size": 32},
        "vae_article": {"kind": "vae_article", "epochs": 2, "batch_size": 32, "learning_rate": 0.001},
    },
    validation_size=VALIDATION,
    batch_size=50,
    iwae_samples=5,
    neighbors=3,
)
MODELS = list(PARAMS["models"])
COMMANDS = commands(ROOT / "dvc.yaml", PARAMS)
PER_MODEL = ("train", "export", "evaluate")
ONCE = ("classifier", "export_classifier", "reference", "report")
PICTURES = ("reconstructions", "samples", "interpolations", "latent_map", "manifold", "dimensions", "traversals")


def command(stage: str, model: str) -> list[str]:
    """Module and arguments of a stage, of a model if it runs for each."""
    return COMMANDS[f"{stage}@{model}" if stage in PER_MODEL else stage]


def lay_out(folder: Path) -> None:
    """A project with tiny networks and the first digits of scikit-learn."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dvc.yaml", folder)
    (folder / "params.yaml").write_text(json.dumps(PARAMS))
    digits = make_digits()
    small = replace(
        digits,
        train_images=digits.train_images[:TRAIN],
        train_labels=digits.train_labels[:TRAIN],
        test_images=digits.test_images[:TEST],
        test_labels=digits.test_labels[:TEST],
    )
    write_dataset(folder / "data" / "digits.npz", small)


def run_in(folder: Path, stage: str, model: str = "", device: str = "cpu") -> None:
    """The stage in this process; its settings of torch do not outlive it."""
    with mock.patch.dict(os.environ, DEVICE=device), contextlib.chdir(folder):
        try:
            module, *arguments = command(stage, model)
            importlib.import_module(module).main(arguments)
        finally:
            torch.use_deterministic_algorithms(False)


def run_all(folder: Path, device: str = "cpu") -> None:
    """Every stage of every model, in this process."""
    for stage, _, model in (name.partition("@") for name in COMMANDS if name != "download"):
        run_in(folder, stage, model, device)


def change(project: Path, model: str, **values: Any) -> None:
    tree = json.loads(json.dumps(PARAMS))
    tree["models"][model] |= values
    (project / "params.yaml").write_text(json.dumps(tree))


def start(stage: str, model: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *command(stage, model)],
        env={**os.environ, "DEVICE": "cpu", **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
