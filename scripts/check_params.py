"""Check all of params.yaml at once, before anything runs; by itself, a stage checks only what it reads."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from autoencoder.classifier import ClassifierParams
from autoencoder.config import ParameterError
from autoencoder.data import SplitParams
from autoencoder.datasets import DownloadParams
from autoencoder.density import DensityParams
from autoencoder.evaluation import EvaluateParams
from autoencoder.latent_space import LatentSpaceParams
from autoencoder.onnx_export import ExportParams
from autoencoder.recipe import SEED, TRAIN_PARAMS
from stages.parameters import load_parameters


def mistakes() -> Iterator[str]:
    """One message per mistake in params.yaml; unknown keys and names first, and nothing else until there are none."""
    try:
        parameters = load_parameters()
    except ParameterError as error:
        yield str(error)
        return
    checks: list[tuple[str, Callable[[Any], object]]] = [
        ("seed", SEED.validate_python),
        ("data", DownloadParams.model_validate),
        ("data", SplitParams.model_validate),
        ("classifier", ClassifierParams.model_validate),
        ("density", DensityParams.model_validate),
        ("export", ExportParams.model_validate),
        ("evaluate", EvaluateParams.model_validate),
        ("latent_space", LatentSpaceParams.model_validate),
        *((f"models.{name}", TRAIN_PARAMS.validate_python) for name in parameters.tree["models"]),
    ]
    for key, validate in checks:
        try:
            parameters.read(key, validate)
        except ParameterError as error:
            yield str(error)


def refused() -> bool:
    """Whether params.yaml has mistakes, which are printed then, a line each."""
    found = list(mistakes())
    for mistake in found:
        print(mistake, file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(refused())
