"""What the benchmarks compute, not how fast they are."""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity

from autoencoder.datasets import make_digits, write_dataset
from autoencoder.models import MODEL_PARAMS, VAE, build_model
from benchmarks import epochs, gpu, serving
from benchmarks.parts import run_parts
from benchmarks.timing import spread
from scripts import gpu_verdict
from scripts.dvc_command import lay_out
from tests.small_params import AE_PARAMS, VAE_PARAMS, small_params

ROOT = Path(__file__).parents[1]
SIZES = {"network": {"type": "mlp", "hidden": [64]}, "optimizer": "muon", "epochs": 3, "batch_size": 32}
PARAMS = small_params(
    models={
        "ae": {**AE_PARAMS, **SIZES},
        "vae": {**VAE_PARAMS, **SIZES},
    },
    iwae_images=100,
)


def test_the_arithmetic_of_the_articles_network_is_what_one_counts_by_hand():
    products = 2 * (784 * 256 + 256 * 64 + 64 * 20)  # multiply-adds of one image, forward
    by_hand = 2 * (3 * products - 784 * 256)  # forward, and two gradients but that of the image
    assert epochs.flops_per_image(epochs.NETWORKS["article AE, batch 256"]) == by_hand


def test_the_arithmetic_of_convolutions_is_what_one_counts_by_hand():
    first = (
        14 * 14 * (1 * 32 * 16)
    )  # places of the smaller map, channels in and out, 4 x 4 weights; the last is its mirror
    convolutions = 2 * (first + 7 * 7 * (32 * 64 * 16))
    dense = 2 * (3136 * 256) + 3 * (256 * 20)
    by_hand = 2 * (3 * (convolutions + dense) - first)
    assert epochs.flops_per_image(epochs.NETWORKS["conv VAE"]) == by_hand


def test_the_numpy_decoder_decodes_as_torch_does():
    params = {"kind": "vae", "latent_dim": 3, "network": {"type": "mlp", "hidden": [16, 8]}}
    model = build_model(MODEL_PARAMS.validate_python(params), seed=0)
    assert isinstance(model, VAE)
    latent = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(latent)).numpy()
    np.testing.assert_allclose(serving._numpy_decoder(model)(latent), expected, atol=1e-6)


def test_spread():
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs parts as the command line would and returns the exit code and the results file."""
    monkeypatch.setattr("benchmarks.parts.RESULTS", tmp_path)

    def run(*wanted, parts, environment=None):
        monkeypatch.setattr(sys, "argv", ["x", *wanted])
        with pytest.raises(SystemExit) as stopped:
            run_parts("x", "", environment or {"cpu": "a"}, parts)
        path = tmp_path / "x.json"
        return stopped.value.code, json.loads(path.read_text()) if path.exists() else None

    return run


def test_results_of_other_parts_stay_while_the_machine_is_the_same(run):
    assert run(parts={"a": lambda: 1.23456, "b": lambda: {"c": [2]}}) == (
        0,
        {"environment": {"cpu": "a"}, "a": 1.235, "b": {"c": [2]}},
    )
    parts = {"a": lambda: 9, "b": lambda: 9}
    assert run("a", parts=parts)[1] == {"environment": {"cpu": "a"}, "a": 9, "b": {"c": [2]}}
    assert run("a", parts=parts, environment={"cpu": "b"})[1] == {"environment": {"cpu": "b"}, "a": 9}


def test_a_part_that_fails_costs_no_other(run):
    def fails():
        raise RuntimeError("no such thing")

    parts = {"a": fails, "b": lambda: 2, "c": lambda: {"max_abs": math.nan}, "d": lambda: 4}
    assert run(parts=parts) == (1, {"environment": {"cpu": "a"}, "b": 2, "d": 4})


def test_an_unknown_part_is_named(run):
    assert run("c", parts={"a": lambda: 1}) == ("error: no part called c; expected a", None)


def test_the_verdict_says_what_is_met_and_what_is_not():
    results = {
        "environment": {},
        "same_bytes": {"files": 22, "again": True, "killed": True, "resumed": False},
        "providers_agree": {
            "a.mean": {"max_abs": 3e-4, "of_tolerance": 0.1},
            "b.mean": {"max_abs": 2e-5, "of_tolerance": 2.0},
        },
        "cpu_agreement": {
            "cpu": {"nll": [90.0, 91.0, 92.0]},
            "gpu": {"nll": [91.0, 92.0, 93.0]},
            "ae_validation_loss": {"cpu": [80.0, 70.0], "gpu": [80.0, 71.4]},
        },
        "tf32": {"tf32": {"validation_loss": [97.0, 97.1]}, "ieee": {"validation_loss": [96.0, 96.1]}},
        "time_to_quality": {"seeds": [0, 1], "recipe": {"times_faster": 446.4, "as_good": 2}},
        "kernel_share": {
            "ae": {"undisturbed": 0.97, "profiled": 0.92, "optimizer_kernels_per_step": 2.0},
            "vae": {"undisturbed": 0.94, "profiled": 0.89, "optimizer_kernels_per_step": 1.98},
        },
        "compute": {"train_ae": 2.0, "train_vae": 3.0, "export_ae": 56.0},
        "wall": 201.4,
    }
    lines = [re.split(r"  +", line) for line in gpu_verdict.table(results).splitlines()]
    assert lines == [
        ["claim", "measured", "wanted"],
        ["same seed, same bytes", "22 files", "equal", "met"],
        ["killed and run again, same bytes", "started over", "resumed, equal", "NOT MET"],
        ["CUDA as the CPU, 2 outputs", "at most 2 of it (b.mean, 2.0e-05)", "1e-05, of codes by spread", "NOT MET"],
        ["vae on GPU and CPU: nll", "mean 92 to 91", "within 2.4", "met"],
        ["ae's losses, first 2 epochs", "within 2.0e-02", "1e-02", "NOT MET"],
        ["vae in TF32 and full precision: validation loss", "mean 97.05 to 96.05", "within 0.21", "NOT MET"],
        ["faster than the article's loop", "446 times (2 of 2 as good)", "at least 300 times, all as good", "met"],
        ["time in kernels, ae", "92% (97% of an undisturbed run)", "at least 90%", "met"],
        [
            "time in kernels, vae",
            "89% (94% of an undisturbed run) (the profiler has lost some)",
            "at least 90%",
            "NOT MET",
        ],
        ["stage train, ae", "2.0 s", "under 3 s", "met"],
        ["stage train, vae", "3.0 s", "under 3 s", "NOT MET"],
        ["all 3 stages", "61 s", "under 60 s", "NOT MET"],
        ["`dvc repro` from scratch", "201 s", "stated", "met"],
    ]
    assert gpu_verdict.table({"environment": {}}) == "claim  measured  wanted"


@pytest.mark.parametrize(("times", "good", "met"), [(301, 2, True), (301, 1, False), (299, 2, False)])
def test_faster_counts_only_where_every_seed_is_as_good(times, good, met):
    results = {"time_to_quality": {"seeds": [0, 1], "recipe": {"times_faster": times, "as_good": good}}}
    assert gpu_verdict.rows(results)[0][3] == met


def test_the_verdict_reads_what_the_parts_write():
    written = json.loads((ROOT / "benchmarks/results/gpu.json").read_text())
    said = gpu_verdict.table(written)
    for claim in ("same seed, same bytes", "faster than the article's loop", "stage train, vae", "all 25 stages"):
        assert said.count(f"\n{claim}") == 1


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """The GPU's benchmark on the CPU, over scikit-learn's digits: what it does, that is, but not how fast."""
    monkeypatch.chdir(ROOT)
    lay_out(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of the processes that train
    Path("params.yaml").write_text(json.dumps(PARAMS))
    write_dataset(Path("data/digits.npz"), make_digits())
    monkeypatch.setattr(gpu, "configure", lambda *_, **__: None)
    return gpu.Bench(Path("data/digits.npz"), tmp_path / "pipeline", torch.device("cpu"))


@pytest.mark.slow
def test_the_gpu_s_benchmark_compares_bytes_and_sees_what_was_resumed(bench, monkeypatch):
    monkeypatch.setattr(gpu, "KILLED_EPOCHS", 15)
    found = bench.same_bytes()
    assert found["files"] == 1 + gpu.KILLED_EPOCHS + 1  # weights, a picture of every epoch, the curve
    assert found["again"]
    assert found["killed"]
    assert found["resumed"]
    assert gpu_verdict.table({"same_bytes": found}).count("  met") == 2


def test_the_gpu_s_benchmark_measures_the_seeds_that_were_measured_on_a_cpu(bench, monkeypatch):
    monkeypatch.setitem(bench.models["vae"], "epochs", 2)
    monkeypatch.setattr(gpu, "RESULTS", ROOT / "benchmarks/results")
    found = bench.cpu_agreement()
    assert set(found["gpu"]) == set(found["cpu"])
    assert {"reconstruction_mse", "kl_divergence", "active_units", "nll"} <= set(found["gpu"])
    seeds = json.loads((ROOT / "benchmarks/results/seeds.json").read_text())["seeds"]
    assert [len(found[place]["nll"]) for place in ("cpu", "gpu")] == [len(seeds)] * 2
    assert len(set(found["gpu"]["nll"])) == len(seeds)
    assert found["ae_validation_loss"]["cpu"] == found["ae_validation_loss"]["gpu"]  # both are the CPU here
    assert "vae on GPU and CPU: nll" in gpu_verdict.table({"cpu_agreement": found})


def test_the_gpu_s_benchmark_times_training(bench, monkeypatch):
    monkeypatch.setitem(bench.models["vae"], "epochs", 2)
    monkeypatch.setattr(torch, "compile", lambda function: function)  # it takes a C++ compiler on a CPU
    step = bench.step()
    assert set(step) == {"eager", "captured"}
    assert all(microseconds > 0 for microseconds in [*step.values(), bench.compiled_step()])
    monkeypatch.setattr(gpu, "PROFILED", ProfilerActivity.CPU)
    monkeypatch.setattr(gpu, "TIMED_EPOCHS", 1)
    for name, share in bench.kernel_share().items():
        assert share["optimizer_kernels_per_step"] == 2, name  # AdamW's step and zero_grad, none of them lost
        assert share["epoch_microseconds_per_step"] > 0
    found = bench.tf32()
    assert found["tf32"]["validation_loss"] == found["ieee"]["validation_loss"]
    assert all(seconds > 0 for seconds in found["tf32"]["seconds"])
    assert "  met" in gpu_verdict.table({"tf32": found})


def test_the_gpu_s_benchmark_compares_every_exported_graph(bench, export, export_reader):
    export(Path(), "ae", "ae", latent_dim=3)
    export(Path(), "vae", "vae", latent_dim=3)
    export_reader(Path())
    found = bench.providers_agree()
    assert set(found) == {
        "ae.mean",
        "ae.reconstruction",
        "classifier.probability",
        "vae.log_var",
        "vae.mean",
        "vae.reconstruction",
    }
    assert all(value["max_abs"] == 0 for value in found.values())
    assert "at most 0 of it" in gpu_verdict.table({"providers_agree": found})


@pytest.mark.slow
def test_the_gpu_s_benchmark_runs_all_stages_in_one_process(bench, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the fixture's project has no benchmarks of its own
    found = bench.compute()
    models = list(PARAMS["models"])
    assert list(found) == [
        *("classifier", "export_classifier", "reference"),
        *(f"{stage}_{model}" for stage in ("train", "export", "evaluate") for model in models),
        "report",
    ]
    assert all(seconds > 0 for seconds in found.values())
    assert (bench.folder / "report" / "README.md").exists()
    assert set(bench.providers_agree()) >= {f"{model}.reconstruction" for model in models}


@pytest.mark.slow
def test_the_gpu_s_benchmark_runs_the_pipeline_from_scratch(bench):
    Path("params.yaml").write_text(json.dumps(PARAMS | {"models": {"pca": {"kind": "pca", "latent_dim": 2}}}))
    taken = bench.wall()
    made = bench.folder.with_name("repro")
    own = [json.loads(path.read_text())["seconds"] for path in (made / "timings").glob("*.json")]
    assert taken > sum(own) > 0
    assert (made / "report" / "README.md").exists()


def test_without_an_exported_graph_the_gpu_s_benchmark_has_compared_nothing(bench):
    with pytest.raises(RuntimeError, match="no exported graph"):
        bench.providers_agree()
