"""A project with tiny networks and the first digits of scikit-learn, and its stages, in this process or another."""

import contextlib
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
from stages import classifier, evaluate, export, export_classifier, reference, report, train
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
COMMANDS = {
    "train": "--data data/digits.npz --output models/{0}/model.pt --pictures models/{0}/epochs "
    "--curve plots/{0}/loss.csv",
    "export": "--data data/digits.npz --checkpoint models/{0}/model.pt --output models/{0}/onnx",
    "evaluate": "--data data/digits.npz --checkpoint models/{0}/model.pt --latents models/{0}/onnx/latents.npz "
    "--classifier models/classifier/model.pt --metrics metrics/{0}.json --details details/{0}.json --pictures plots/{0}",
}
MAINS = {"train": train.main, "export": export.main, "evaluate": evaluate.main}
PICTURES = ("reconstructions", "samples", "interpolations", "latent_map", "manifold", "dimensions", "traversals")
ONCE = {
    "classifier": "--data data/digits.npz --output models/classifier/model.pt",
    "export_classifier": "--data data/digits.npz --classifier models/classifier/model.pt --output models/classifier/onnx",
    "reference": "--data data/digits.npz --classifier models/classifier/model.pt --metrics metrics/real.json "
    "--details details/real.json",
    "report": "--details details --pictures plots --output report",
}
ONCE_MAINS = {
    "classifier": classifier.main,
    "export_classifier": export_classifier.main,
    "reference": reference.main,
    "report": report.main,
}


def arguments(stage: str, model: str) -> list[str]:
    return ONCE[stage].split() if stage in ONCE else [model, *COMMANDS[stage].format(model).split()]


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
            (MAINS | ONCE_MAINS)[stage](arguments(stage, model))
        finally:
            torch.use_deterministic_algorithms(False)


def run_all(folder: Path, device: str = "cpu") -> None:
    """Every stage of every model, in this process."""
    for stage in ("classifier", "export_classifier", "reference"):
        run_in(folder, stage, device=device)
    for model in MODELS:
        for stage in MAINS:
            run_in(folder, stage, model, device)
    run_in(folder, "report", device=device)


def change(project: Path, model: str, **values: Any) -> None:
    tree = json.loads(json.dumps(PARAMS))
    tree["models"][model] |= values
    (project / "params.yaml").write_text(json.dumps(tree))


def start(stage: str, model: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *arguments(stage, model)],
        env={**os.environ, "DEVICE": "cpu", **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
