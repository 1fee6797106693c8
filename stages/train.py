"""Train one model: its weights, a curve that is rewritten every epoch, and a small picture of every epoch."""

import argparse
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from autoencoder.checkpoints import ResumePoint, save_checkpoint
from autoencoder.data import SplitParams, load_training_splits
from autoencoder.devices import describe_device
from autoencoder.files import sha256
from autoencoder.history import History
from autoencoder.models import PCA, build_model
from autoencoder.recipe import SEED, TRAIN_PARAMS, PCATraining
from autoencoder.training import EpochMetrics, Training, TrainingDiverged, fit_pca
from stages.device import choose_device
from stages.parameters import load_parameters
from stages.process import run, write_timings

RESUME_FOLDER = Path(".ckpt")  # not an output of the stage: DVC deletes those before it runs one
SECONDS_BETWEEN_SAVES = 1.0  # a resume point takes longer to write than an epoch takes on a GPU
PICTURED = 16  # validation images in the picture of an epoch


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, train, write the outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a key of `models` in params.yaml")
    for name in ("data", "output", "pictures", "curve"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    parameters = load_parameters()
    seed = parameters.read("seed", SEED.validate_python)
    split_params = parameters.read("data", SplitParams.model_validate)
    params = parameters.read(f"models.{args.model}", TRAIN_PARAMS.validate_python)

    device = choose_device(tf32=not isinstance(params, PCATraining))
    train, validation = load_training_splits(args.data, split_params, device)
    print(f"{args.model}: {len(train):,} training images on {describe_device(device)}", flush=True)
    history = History(args.curve, args.pictures, validation.head(PICTURED))
    data = sha256(args.data.read_bytes())
    where = [describe_device(device), torch.__version__]
    code = Path(__file__).read_text()  # of what a resume point holds; ResumePoint looks at the package's itself
    identity = [data, split_params.model_dump(), seed, params.model_dump(), code, where]
    resume = ResumePoint(RESUME_FOLDER, args.model, depends_on=identity)
    model = build_model(params, seed).to(device)
    if isinstance(model, PCA):
        started = time.perf_counter()
        metrics = fit_pca(model, train, validation)
        history.add(metrics, model)
        seconds = time.perf_counter() - started
    else:
        assert not isinstance(params, PCATraining)
        training = Training(model, params, train, validation, seed)
        metrics, seconds = train_network(args.model, training, history, resume, device)
    save_checkpoint(args.output, model, params)
    resume.discard()
    write_timings(
        f"train_{args.model}",
        device=describe_device(device),
        seconds=seconds,
        images_per_second=metrics.images_per_second,
    )


def train_network(
    name: str, training: Training, history: History, resume: ResumePoint, device: torch.device
) -> tuple[EpochMetrics, float]:
    """Train to the end, from the resume point where there is one; on a terminal with a bar, in a log with lines.

    While it runs, its file of timings says how fast it is and how long it will take, for the viewer.

    Returns:
        The last epoch, and the seconds from the first step on, those before the resume point included.
    """
    seconds = 0.0
    if state := resume.load():
        training.load_state_dict(state["training"])
        history.load_state_dict(state["history"])
        seconds = state["seconds"]
        print(f"{name}: resuming after epoch {training.epoch}", flush=True)
    training.prepare()  # what torch loads at its first use, and a step that is captured, are start-up
    total, terminal, before = training.params.epochs, sys.stderr.isatty(), training.epoch
    started = saved = time.perf_counter()
    with tqdm(total=total, initial=training.epoch, desc=name, unit="epoch", disable=not terminal) as bar:
        try:
            for metrics in training.epochs():
                history.add(metrics, training.model)
                if training.epoch < total and (now := time.perf_counter()) - saved > SECONDS_BETWEEN_SAVES:
                    state = {"training": training.state_dict(), "history": history.state_dict()}
                    resume.save(state | {"seconds": seconds + now - started})
                    saved = time.perf_counter()
                    write_timings(
                        f"train_{name}",
                        device=describe_device(device),
                        images_per_second=metrics.images_per_second,
                        seconds_left=(saved - started) / (training.epoch - before) * (total - training.epoch),
                    )
                bar.set_postfix_str(describe(metrics))
                bar.update()
                if not terminal:
                    print(f"{name}: epoch {metrics.epoch}/{total}, {describe(metrics)}", flush=True)
        except TrainingDiverged as error:
            resume.discard()
            raise TrainingDiverged(f"params.yaml: models.{name}: {error}") from None
    return metrics, seconds + time.perf_counter() - started


def describe(metrics: EpochMetrics) -> str:
    """An epoch in a few words; the validation loss is the one to watch."""
    terms = metrics.validation
    kl = f" + KL {terms.kl_divergence:.4g}" if terms.kl_divergence else ""
    return (
        f"train {metrics.train.loss:.4g}, validation {terms.loss:.4g} "
        f"(reconstruction {terms.reconstruction:.4g}{kl}), {metrics.images_per_second:,.0f} images/s"
    )


if __name__ == "__main__":
    run(main)
