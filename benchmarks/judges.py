"""How far figures and verdicts depend on the classifier that judges: the last run's models before several of them.

`python -m benchmarks.judges` trains classifiers that differ in their seed alone, the pipeline's first, and writes
benchmarks/results/judges.json. Needs the workspace's data and models, which `make repro` makes.
"""

import json
from pathlib import Path

from autoencoder.checkpoints import load_checkpoint
from autoencoder.classifier import SEED, ClassifierParams, Judge, build_classifier, calibrated, fit
from autoencoder.comparison import REAL
from autoencoder.config import Parameters
from autoencoder.data import Split, SplitParams, load_test_split, load_training_splits
from autoencoder.devices import configure
from autoencoder.files import read_arrays, write_json
from autoencoder.headline import HEADLINE
from autoencoder.images import to_unit_interval
from autoencoder.latent_space import LatentSpaceParams, judge_latent_space, reference
from autoencoder.priors import exported_priors
from autoencoder.verdicts import SAMPLED
from benchmarks.parts import RESULTS, rounded
from benchmarks.workspace import DATA, MODELS, require
from scripts.machine import environment
from stages.device import use_cpu

JUDGES = 3
KEPT = (*HEADLINE, *(name for name in SAMPLED if name not in HEADLINE))


def main() -> None:
    """Train the classifiers and let each judge all models."""
    parameters = Parameters.load(Path("params.yaml"))
    names, device = list(parameters.tree["models"]), use_cpu()
    require(DATA, *(MODELS / name / "onnx" / "latents.npz" for name in names))
    configure(device, tf32=False)
    space = parameters.read("latent_space", LatentSpaceParams.model_validate)
    train, validation = load_training_splits(DATA, parameters.read("data", SplitParams.model_validate), device)
    test = load_test_split(DATA, device)
    params = parameters.read("classifier", ClassifierParams.model_validate)
    rows: dict[str, dict[str, list[float]]] = {name: {} for name in (*names, REAL)}
    for index in range(JUDGES):
        judge = trained(params, train, validation, seed=SEED + index)
        for name, row in rows.items():
            found = reference(judge, validation, test, space) if name == REAL else judged(name, judge, test, space)
            kept = rounded({metric: found[metric] for metric in KEPT if metric in found})
            for metric, value in kept.items():
                row.setdefault(metric, []).append(value)
            print(f"classifier {index + 1} of {JUDGES}, {name}: {json.dumps(kept)}", flush=True)
    results = {"environment": environment(device), "seed": parameters.tree["seed"], "rows": rows}
    write_json(RESULTS / "judges.json", results)


def trained(params: ClassifierParams, train: Split, validation: Split, seed: int) -> Judge:
    """As the stage `classifier` makes it, but for the seed."""
    model = build_classifier(seed)
    list(fit(model, params, train, seed))
    return calibrated(model, params, train, validation)


def judged(name: str, judge: Judge, test: Split, space: LatentSpaceParams) -> dict[str, float]:
    """What a judge says of a model of the workspace."""
    model, _ = load_checkpoint(MODELS / name / "model.pt", test.images.device)
    latents = read_arrays(MODELS / name / "onnx" / "latents.npz")
    priors = exported_priors(latents)
    return judge_latent_space(model, to_unit_interval(test.images), latents["test_mean"], priors, judge, space)


if __name__ == "__main__":
    main()
