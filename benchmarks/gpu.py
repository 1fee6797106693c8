"""Every claim about CUDA in one run: equal, reproducible, fast.

Works in a temporary copy of the project; the workspace's data is read and its results stay as they are.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from autoencoder import loss
from autoencoder import training as training_loop
from autoencoder.config import Parameters
from autoencoder.data import Split, SplitParams, load_test_split, load_training_splits
from autoencoder.devices import configure
from autoencoder.evaluation import (
    EvaluateParams,
    active_units,
    encode,
    likelihood_bounds,
    posterior_metrics,
    reconstruction_mse,
)
from autoencoder.files import write_json
from autoencoder.images import to_unit_interval
from autoencoder.inference import CPU, CUDA, open_session
from autoencoder.models import AE, VAE, build_model
from autoencoder.onnx_export import tolerance
from autoencoder.recipe import TRAIN_PARAMS, PCATraining
from autoencoder.training import Training
from benchmarks.parts import RESULTS, run_parts
from benchmarks.pipeline import from_scratch, lay_out_with_data
from benchmarks.quality import full_precision, time_to_quality
from benchmarks.timing import wait_for
from benchmarks.workspace import DATA, require
from scripts.dvc_command import commands
from scripts.gpu_verdict import table
from scripts.machine import environment

SEEDS = range(3)
QUALITY_SEEDS = range(5)
ARTICLE_SEEDS = QUALITY_SEEDS[:1]  # its loop takes about a minute
IMAGE_GRAPHS = ("encoder", "classifier")  # the decoder's input is a latent
PROFILED = ProfilerActivity.CUDA  # alone: watching Python, too, would slow it down
TIMED_EPOCHS = 5
KILLED_EPOCHS = 60  # so many that a training is killed between its first resume point and its end


class Bench:
    """The data on the GPU, the workspace's parameters, and a folder in which the pipeline runs.

    The tests give it a CPU in the place of the GPU.
    """

    def __init__(self, data: Path, folder: Path, device: torch.device) -> None:
        self.data = data
        self.folder = folder
        self.device = device
        parameters = Parameters.load(Path("params.yaml"))
        self.tree = parameters.tree
        self.models = self.tree["models"]
        self.evaluate = parameters.read("evaluate", EvaluateParams.model_validate)
        split_params = parameters.read("data", SplitParams.model_validate)
        self.train, self.validation = load_training_splits(data, split_params, device)
        self.test = load_test_split(data, device)

    def training(self, params: dict[str, Any], seed: int, device: torch.device | None = None) -> Training:
        """A training of `params`, on the GPU unless told."""
        checked = TRAIN_PARAMS.validate_python(params)
        assert not isinstance(checked, PCATraining)
        built = build_model(checked, seed)
        assert isinstance(built, AE | VAE)
        train, validation = (
            Split(split.images.to(device or self.device), split.labels.to(device or self.device))
            for split in (self.train, self.validation)
        )
        return Training(built, checked, train, validation, seed)

    def time_to_quality(self) -> dict[str, Any]:
        """The article's loop for five epochs; then the seconds of our whole training, and how many seeds end no worse.

        No worse than the loop here or on a CPU, as the median over more seeds, where this is lower.
        """
        on_cpu = json.loads((RESULTS / "cpu.json").read_text())["time_to_quality"]["target_mse"]
        return time_to_quality(self.train, self.validation, self.test, QUALITY_SEEDS, ARTICLE_SEEDS, on_cpu)

    def _warmed(self, training: Training) -> Training:
        """With its step captured, and whatever compiles at first use compiled."""
        training.prepare()
        training.validate()
        wait_for(self.device)
        return training

    def _timed(self, training: Training) -> float:
        """Seconds of all epochs of a warmed training: every epoch's shuffling, steps and validation."""
        started = time.perf_counter()
        list(training.epochs())
        wait_for(self.device)
        return time.perf_counter() - started

    def kernel_share(self) -> dict[str, Any]:
        """Time in kernels over the loop's wall time, as the profiler sees it and against an undisturbed run.

        Profilers of CUDA 13.0 may lose kernels without a word: then the optimizer's are no whole number per step.
        """
        params = {name: {**self.models[name], "epochs": TIMED_EPOCHS} for name in ("ae", "vae")}
        # all of them before any profiling, which leaves traces
        undisturbed = {name: self._timed(self._warmed(self.training(params[name], 0))) for name in params}
        report = {}
        for name, seconds in undisturbed.items():
            training = self._warmed(self.training(params[name], 0))  # the profiler sees the graph and not its making
            with profile(activities=[PROFILED], acc_events=True) as profiler:  # one cycle; torch 2.11 warns otherwise
                wall = self._timed(training)
            events, steps = profiler.key_averages(), TIMED_EPOCHS * training.steps
            kernels = sum(event.self_device_time_total for event in events) / 1e6
            report[name] = {
                "profiled": kernels / wall,
                "undisturbed": kernels / seconds,
                "epoch_microseconds_per_step": seconds / steps * 1e6,
                "optimizer_kernels_per_step": sum(event.count for event in events if "Adam" in event.key) / steps,
            }
        return report

    def step(self) -> dict[str, float]:
        """Microseconds of an epoch of `vae` per step: called by Python, and captured."""
        return {name: self._microseconds(captured) for name, captured in (("eager", False), ("captured", True))}

    def compiled_step(self) -> float:
        """The same of the captured step with compiled kernels."""
        with mock.patch.object(training_loop, "training_loss", torch.compile(loss.training_loss)):
            return self._microseconds(captured=True)

    def _microseconds(self, captured: bool) -> float:
        training = self.training({**self.models["vae"], "epochs": TIMED_EPOCHS}, 0)
        if not captured:
            training.prepare = lambda: None  # type: ignore[method-assign]
        return self._timed(self._warmed(training)) / (TIMED_EPOCHS * training.steps) * 1e6

    def tf32(self) -> dict[str, Any]:
        """Training in TF32 and in full single precision: seconds, and the validation loss each ends with."""
        report = {"tf32": self._seconds_and_losses()}
        with full_precision(self.device):
            return report | {"ieee": self._seconds_and_losses()}

    def _seconds_and_losses(self) -> dict[str, list[float]]:
        runs = []
        for seed in SEEDS:
            training = self.training(self.models["vae"], seed)
            runs.append((self._timed(self._warmed(training)), training.validate().loss))
        return {"seconds": [run[0] for run in runs], "validation_loss": [run[1] for run in runs]}

    def compute(self) -> dict[str, float]:
        """Seconds of every stage of a whole `dvc repro`, in one process, so that none is spent on starting it."""
        lay_out_with_data(self.folder, self.data)
        command = [sys.executable, "-m", "benchmarks.compute", str(self.folder)]
        environment = {**os.environ, "DEVICE": str(self.device)}
        return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)

    def wall(self) -> float:
        """Seconds of a whole `dvc repro`, with all that its processes take to start."""
        seconds: float = from_scratch(self.folder.with_name("repro"), self.data)["wall_seconds"]
        return seconds

    def providers_agree(self) -> dict[str, Any]:
        """Every exported graph on CUDA against the CPU, over the whole test set: those of `compute`, else the workspace's."""
        root = self.folder if (self.folder / "models").exists() else Path()
        image = to_unit_interval(self.test.images).cpu().numpy()
        report = {}
        for path in sorted((root / "models").glob("*/onnx/*.onnx")):
            if path.stem in IMAGE_GRAPHS:
                inputs = {"image": image}
            else:
                with np.load(path.with_name("latents.npz")) as latents:
                    inputs = {"latent": latents["test_mean"]}
            served, cpu = (open_session(path.read_bytes(), device) for device in (self.device.type, "cpu"))
            found, expected = served.run(inputs), cpu.run(inputs)
            wanted = CUDA if self.device.type == "cuda" else CPU
            assert served.session.get_providers()[0] == wanted
            assert served.node_providers == {wanted}  # no node has fallen back
            for name, values in expected.items():
                difference = np.abs(found[name] - values)
                report[f"{path.parts[-3]}.{name}"] = {
                    "max_abs": float(difference.max()),
                    "of_tolerance": float((difference / tolerance(name, values)).max()),
                }
        if not report:
            raise RuntimeError("no exported graph: run the part `compute` first, or `dvc repro`")
        return report

    def same_bytes(self) -> dict[str, Any]:
        """`vae` trained three times from the same seed: undisturbed, undisturbed again, and with a kill -9 on the way."""
        (first, _), (again, _), (killed, resumed) = (self._trained(kill=kill) for kill in (False, False, True))
        return {"files": len(first), "again": again == first, "killed": killed == first, "resumed": resumed}

    def _trained(self, kill: bool) -> tuple[dict[str, str], bool]:
        """The outputs' hashes of a training in a folder of its own, and whether it went on from a resume point."""
        folder = Path(tempfile.mkdtemp(dir=self.folder.parent))
        lay_out_with_data(folder, self.data)
        vae = {**self.models["vae"], "epochs": KILLED_EPOCHS}
        tree = {**self.tree, "models": {**self.models, "vae": vae}}
        write_json(folder / "params.yaml", tree)  # JSON is YAML
        command = [sys.executable, "-m", *commands(folder / "dvc.yaml", tree)["train@vae"]]
        environment = {**os.environ, "DEVICE": str(self.device)}
        if kill:
            with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None and not list(folder.glob(".ckpt/vae-*.pt")):
                    time.sleep(0.005)
                process.send_signal(signal.SIGKILL)
        log = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        return self._outputs(folder), "resuming after epoch" in log

    @staticmethod
    def _outputs(folder: Path) -> dict[str, str]:
        files = [
            *folder.glob("models/vae/model.pt"),
            *folder.glob("models/vae/epochs/*"),
            folder / "plots/vae/loss.csv",
        ]
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def cpu_agreement(self) -> dict[str, Any]:
        """`vae` trained here with the seeds that were measured on a CPU (`make seeds`); `ae` epoch by epoch."""
        measured = json.loads((RESULTS / "seeds.json").read_text())
        rows: list[dict[str, Any]] = []
        for seed in measured["seeds"]:
            training = self.training(self.models["vae"], seed)
            list(training.epochs())
            model = training.model.eval()
            assert isinstance(model, VAE)
            with torch.no_grad(), full_precision(self.device):  # as the stage `evaluate`
                rows.append(
                    {
                        "reconstruction_mse": reconstruction_mse(model, self.evaluate.batch_size, self.test),
                        **posterior_metrics(model, self.evaluate, self.test),
                        "active_units": active_units(encode(model, self.evaluate.batch_size, self.test), self.evaluate),
                        **likelihood_bounds(model, self.evaluate, self.test),
                    }
                )
        on_cpu = measured["rows"]["vae"]
        names = [name for name in rows[0] if name in on_cpu]
        report: dict[str, Any] = {
            "cpu": {name: on_cpu[name] for name in names},
            "gpu": {name: [row[name] for row in rows] for name in names},
        }
        curves = []
        with full_precision(self.device):
            for device in (torch.device("cpu"), self.device):
                training = self.training({**self.models["ae"], "epochs": 2}, 0, device=device)
                curves.append([metrics.validation.loss for metrics in training.epochs()])
        report["ae_validation_loss"] = {"cpu": curves[0], "gpu": curves[1]}
        return report


def main() -> None:
    """Run every part, or those that the command line names."""
    if not torch.cuda.is_available():
        sys.exit("error: this benchmark needs a CUDA device, and torch sees none")
    require(DATA)
    device = torch.device("cuda:0")
    configure(device, tf32=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(DATA, Path(folder) / "pipeline", device)
        parts = [
            bench.kernel_share,  # before other work, after which profilers lose more
            bench.same_bytes,
            bench.step,
            bench.compiled_step,
            bench.tf32,
            bench.time_to_quality,
            bench.compute,
            bench.providers_agree,
            bench.cpu_agreement,
            bench.wall,
        ]
        run_parts("gpu", __doc__, environment(device), {part.__name__: part for part in parts}, table)


if __name__ == "__main__":
    main()
