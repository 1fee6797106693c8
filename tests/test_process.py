"""process.py and device.py: where a stage computes, and how its process ends."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from autoencoder.errors import ForeseenError, UnusableFileError
from stages.process import explain_gpu_failure, run
from tests.nvidia import build_driver
from tests.processes import ROOT, start, started

CHOOSE = """
from stages.device import choose_device
from stages.process import run
run(lambda: print(choose_device(tf32=False)))
"""
FAIL = """
import torch
from stages.process import run
def main():
    print("a line that must not be lost")
    lost = torch.AcceleratorError("CUDA error: unspecified launch failure\\nSearch for `cudaErrorLaunchFailure'")
    {}
run(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.skipif(torch.version.cuda is None, reason="this torch is built without CUDA")
def test_a_driver_that_is_too_old_is_a_line_of_the_log_and_no_obstacle(tmp_path):
    environment = {**build_driver(tmp_path), "DRIVER_VERSION": "11040"}
    reason = f"the NVIDIA driver supports CUDA 11.4, torch needs {torch.version.cuda}: update the driver"
    assert start(CHOOSE, {**environment, "DEVICE": "auto"}) == (0, f"on the CPU: {reason}\ncpu\n", "")
    assert start(CHOOSE, {**environment, "DEVICE": "cpu"}) == (0, "cpu\n", "")
    said = f"error: DEVICE=cuda: {reason}; DEVICE=cpu works without a GPU\n"
    assert start(CHOOSE, {**environment, "DEVICE": "cuda"}) == (1, "", said)


@pytest.mark.parametrize(
    "end",
    ["raise lost", "raise torch.cuda.DeferredCudaCallError('CUDA call failed lazily at initialization') from lost"],
)
def test_a_gpu_that_fails_ends_the_stage_with_one_message(end):
    said = (
        "error: the GPU has failed (CUDA error: unspecified launch failure): see what `nvidia-smi` says of it, then "
        "run again, or with DEVICE=cpu\n"
    )
    assert start(FAIL.format(end)) == (1, "a line that must not be lost\n", said)


@pytest.mark.skipif(sys.platform != "linux", reason="no /dev/full there")
def test_a_stage_whose_words_cannot_be_written_has_failed():
    with Path("/dev/full").open("w") as full:
        script = "from stages.process import run\nrun(lambda: print('done'))"
        process = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert process.returncode == 1
    assert process.stderr.startswith("error: [Errno 28] No space left on device")


def test_a_finished_stage_is_finished_whatever_its_libraries_do_on_their_way_out():
    late = "import atexit, time\natexit.register(time.sleep, 60)\nfrom stages.process import run\nrun(lambda: print('done'))"
    assert start(late) == (0, "done\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="orphans are adopted by nobody there")
def test_a_stage_whose_dvc_was_killed_while_it_imported_ends(tmp_path):
    """A process killed as `dvc` would be, whose child comes to `run` only then."""
    stage = f"""
import os, pathlib, time
from stages.process import run
parent = os.getppid()
print(parent, flush=True)
while os.getppid() == parent:
    time.sleep(0.01)
def main():
    time.sleep(2)
    pathlib.Path({str(tmp_path / "output")!r}).write_text("too late")
run(main)
print("too late", flush=True)
"""
    (tmp_path / "stage.py").write_text(stage)
    dvc = f"import subprocess, sys; subprocess.call([sys.executable, {str(tmp_path / 'stage.py')!r}])"
    environment = {**os.environ, "DVC_STAGE": "train@vae", "PYTHONPATH": str(ROOT)}
    with started(sys.executable, "-c", dvc, env=environment, stderr=None) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        process.kill()
        assert process.stdout.read() == ""  # until the stage has ended, too
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("package", ["stages", "scripts", "benchmarks"])
@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_ctrl_c_is_one_line_even_while_a_command_imports(package):
    interrupted = f"import os, signal, {package}\nos.kill(os.getpid(), signal.SIGINT)\nimport torch"
    said = "stopped; run the same command again to go on\n"
    assert start(interrupted) == (130, "", said)
    for mistake in ("print(1 / 0)", "open('no such file')"):
        code, _, error = start(f"import {package}\n{mistake}")
        assert code == 1
        assert error.startswith("Traceback")


@pytest.mark.parametrize("package", ["stages", "scripts", "benchmarks"])
@pytest.mark.parametrize(
    "write",
    ["open('target/file', 'w').write('x' * 100_000)", "shutil.copytree('source', 'target', dirs_exist_ok=True)"],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(package, write, tmp_path):
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
    (tmp_path / "source" / "file").write_bytes(bytes(100_000))
    (tmp_path / "target" / "file").symlink_to("/dev/full")
    code, _, error = start(f"import os, shutil, {package}\nos.chdir({str(tmp_path)!r})\n{write}")
    assert code == 1
    assert error.startswith("error: [Errno 28] No space left on device")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "fail",
    [
        lambda: np.empty(10**15, np.uint8),
        lambda: torch.empty(10**15, dtype=torch.uint8),
        lambda: bytearray(10**15),
    ],
    ids=["numpy", "torch", "Python"],
)
def test_more_memory_than_the_machine_has_is_one_message(fail, capsys):
    with pytest.raises(SystemExit, match="1"):
        run(fail)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: this machine has not enough memory (")
    assert "params.yaml" in line


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.ones(2, 3) @ torch.ones(4, 5),
        lambda: np.ones((10, 20)) * np.ones(19),
        lambda: list(zip([1], [], strict=True)),
        lambda: int("x"),
    ],
    ids=["torch", "numpy", "zip", "Python"],
)
def test_a_bug_keeps_its_traceback(fail):
    with pytest.raises((RuntimeError, ValueError)):
        run(fail)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ForeseenError("params.yaml: seed = x"), "error: params.yaml: seed = x\n"),
        (UnusableFileError("model.pt is empty"), "error: model.pt is empty; make it again with `dvc repro`\n"),
        (OSError("the disk is full"), "error: the disk is full\n"),
    ],
)
def test_a_foreseen_error_is_one_message(error, said, capsys):
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit, match="1"):
        run(fail)
    assert capsys.readouterr().err == said


SHORTAGE = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.62 GiB is "
    "free. Process 42 has 77.00 GiB memory in use. If reserved but unallocated memory is large try setting X."
)
LOST = "CUDA error: unspecified launch failure\nSearch for `cudaErrorLaunchFailure' in the documentation\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHORTAGE, "no memory left (Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.62"),
        ("CUDA error: out of memory\nSearch for it", "the GPU has no memory left (CUDA error: out of memory): end"),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "the GPU has no memory left ("),
        (LOST, "the GPU has failed (CUDA error: unspecified launch failure): see what `nvidia-smi` says"),
        (
            "cuDNN Frontend error: CUDNN_STATUS_EXECUTION_FAILED",
            "the GPU has failed (cuDNN Frontend error: CUDNN_STATUS_EXECUTION_FAILED",
        ),
        (
            "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
            "the GPU has failed (cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        ),
        (
            "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
            "the GPU has no memory left (",
        ),
        (
            "GET was unable to find an engine to execute this computation",
            "cuDNN cannot compute this convolution (GET was",
        ),
        ("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED", "the GPU has no memory left ("),
        ("cusolver error: CUSOLVER_STATUS_NOT_INITIALIZED, when calling `cusolverDnCreate`", "no memory left ("),
        (
            "CUDA error: no kernel image is available for execution on the device\nCUDA kernel",
            "is not built for this GPU",
        ),
        ("CUDA unknown error - this may be due to an incorrectly set up environment", "the GPU has failed (CUDA unk"),
        ("Unexpected error from cudaGetDeviceCount(). Did you run", "the GPU has failed (Unexpected error from cuda"),
        ("No CUDA GPUs are available", "the GPU has failed (No CUDA GPUs"),
        ("CUDA driver initialization failed, you might not have a CUDA gpu.", "the GPU has failed (CUDA driver"),
        ("NVML_SUCCESS == r INTERNAL ASSERT FAILED at CUDACachingAllocator.cpp", "the GPU has no memory left (NVML"),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", "the GPU has no memory left (cuDNN"),
        ("cusolver error: CUSOLVER_STATUS_INTERNAL_ERROR, when calling `cusolverDnCreate`", "the GPU has failed (cus"),
    ],
)
def test_a_failing_gpu_is_explained(text, said):
    explained = explain_gpu_failure(RuntimeError(text))
    assert explained is not None
    assert said in explained
    assert "DEVICE=cpu" in explained
    assert "\n" not in explained


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_torch_s_own_errors_are_meant(kind):
    assert "no memory left" in (explain_gpu_failure(kind(SHORTAGE)) or "")


def test_a_failure_while_capturing_is_not_hidden_by_the_end_of_the_capture():
    end = torch.AcceleratorError("CUDA error: operation failed due to a previous error during capture")
    end.__context__ = torch.OutOfMemoryError(SHORTAGE)
    assert "no memory left" in (explain_gpu_failure(end) or "")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: operation not permitted when stream is capturing"),
        RuntimeError("CUDA error: invalid configuration argument"),
        ValueError(SHORTAGE),
        KeyError("vae"),
    ],
)
def test_other_errors_are_not_the_gpu_s(error):
    assert explain_gpu_failure(error) is None
