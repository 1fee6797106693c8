"""inference.py: onnxruntime opened quietly, and the truth about what serves."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from autoencoder import inference
from autoencoder.inference import CPU, CUDA, DeviceError, open_session, why_not_cuda
from tests.nvidia import FakeDriver, pretend


@pytest.fixture
def decoder(export, tmp_path) -> bytes:
    return (export(tmp_path, "ae", "ae", latent_dim=3) / "decoder.onnx").read_bytes()


@pytest.fixture
def driver(monkeypatch):
    """Pretend that onnxruntime has CUDA and this driver answers; None for a machine without one."""

    def install(fake: FakeDriver | None) -> None:
        monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
        monkeypatch.setattr(ort, "cuda_version", "13.0")
        pretend(monkeypatch, fake)

    return install


def test_rows_do_not_depend_on_how_many_there_are(decoder, monkeypatch):
    latents = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    session = open_session(decoder, "cpu")
    together = session.run({"latent": latents})["reconstruction"]
    monkeypatch.setattr(inference, "BATCH_SIZE", 3)
    np.testing.assert_allclose(session.run({"latent": latents})["reconstruction"], together, atol=1e-6)
    assert session.run({"latent": latents[:0]})["reconstruction"].shape == (0, 1, 28, 28)


def test_cpu_on_request_says_so(decoder):
    session = open_session(decoder, "cpu")
    assert (session.provider, session.reason) == (CPU, "CPU asked for")
    assert session.session.get_providers() == [CPU]
    assert session.node_providers == {CPU}


def test_auto_without_a_driver_serves_on_the_cpu_and_says_why(decoder, driver):
    driver(None)
    session = open_session(decoder)
    assert (session.provider, session.reason) == (CPU, "no NVIDIA driver on this machine")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_device_asked_for_by_name_is_never_replaced(decoder, driver, device):
    driver(None)
    with pytest.raises(DeviceError, match=f"{device} was asked for, but no NVIDIA driver"):
        open_session(decoder, device)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x"])
def test_unknown_device_names_are_rejected(decoder, device):
    with pytest.raises(DeviceError, match="expected auto, cpu, cuda or cuda:<number>"):
        open_session(decoder, device)


def test_a_device_that_fails_on_opening_is_a_reason_not_a_crash(decoder, driver, monkeypatch):
    driver(FakeDriver())

    def fail(*_: object) -> None:
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory ; GPU=0 ; file=x.cc")

    monkeypatch.setattr(inference, "_open_on_cuda", fail)
    assert open_session(decoder).reason == "CUDA failure 2: out of memory"
    with pytest.raises(DeviceError, match="cuda was asked for, but CUDA failure 2: out of memory"):
        open_session(decoder, "cuda")


class FailingSession(ort.InferenceSession):  # type: ignore[misc]
    """A session on a GPU that is lost after its first run."""

    says = "CUDA failure 719: unspecified launch failure"

    def __init__(self, graph: bytes) -> None:
        super().__init__(graph, providers=[CPU])
        self.runs = 0

    def run(self, *arguments: Any) -> Any:
        self.runs += 1
        if self.runs > 1:
            raise RuntimeError(f"[ONNXRuntimeError] : 1 : FAIL : {self.says} ; GPU=0")
        return super().run(*arguments)


@pytest.mark.parametrize(
    "says",
    [
        "CUDA failure 719: unspecified launch failure",
        "CUDA error cudaErrorLaunchFailure:unspecified launch failure",
        "CUDNN_FE failure 8: HEURISTIC_QUERY_FAILED",
    ],
)
def test_a_gpu_that_is_lost_while_it_serves_is_replaced_by_the_cpu(says, decoder, driver, monkeypatch):
    driver(FakeDriver())
    monkeypatch.setattr(FailingSession, "says", says)
    monkeypatch.setattr(inference, "_open_on_cuda", lambda *_: FailingSession(decoder))
    latents = {"latent": np.ones((2, 3), np.float32)}
    session = open_session(decoder)
    served = session.run(latents)["reconstruction"]
    assert (session.provider, session.reason) == (CUDA, "")
    np.testing.assert_array_equal(session.run(latents)["reconstruction"], served)
    assert (session.provider, session.reason) == (CPU, says)
    assert session.session.get_providers() == [CPU]
    assert session.node_providers == {CPU}
    np.testing.assert_array_equal(session.run(latents)["reconstruction"], served)


def test_a_gpu_asked_for_by_name_is_not_replaced_when_it_is_lost(decoder, driver, monkeypatch):
    driver(FakeDriver())
    monkeypatch.setattr(inference, "_open_on_cuda", lambda *_: FailingSession(decoder))
    latents = {"latent": np.ones((2, 3), np.float32)}
    session = open_session(decoder, "cuda")
    session.run(latents)
    with pytest.raises(DeviceError, match=r"^CUDA was asked for, but CUDA failure 719: unspecified launch failure$"):
        session.run(latents)


def test_requests_that_fail_together_are_all_served(decoder, driver, monkeypatch):
    driver(FakeDriver())
    failing = FailingSession(decoder)
    monkeypatch.setattr(inference, "_open_on_cuda", lambda *_: failing)
    session = open_session(decoder)
    latents = {"latent": np.ones((2, 3), np.float32)}
    served = session.run(latents)["reconstruction"]
    together = Barrier(8)
    fail = failing.run

    def fail_together(*arguments: Any) -> Any:
        together.wait(timeout=10)
        return fail(*arguments)

    monkeypatch.setattr(failing, "run", fail_together)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: session.run(latents)["reconstruction"], range(8)))
    for result in results:
        np.testing.assert_array_equal(result, served)
    assert session.provider == CPU


def test_a_cpu_without_memory_left_is_not_called_a_gpu(decoder, monkeypatch):
    session = open_session(decoder, "cpu")

    def fail(*_: object) -> None:
        raise RuntimeError("Failed to allocate memory for requested buffer of size 8388608000")

    monkeypatch.setattr(inference, "_run", fail)
    with pytest.raises(RuntimeError, match=r"^Failed to allocate"):
        session.run({"latent": np.ones((2, 3), np.float32)})


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_inputs_that_do_not_fit_are_no_failure_of_the_gpu(decoder, driver, monkeypatch, device):
    driver(FakeDriver())
    monkeypatch.setattr(inference, "_open_on_cuda", lambda *_: ort.InferenceSession(decoder, providers=[CPU]))
    session = open_session(decoder, device)
    with pytest.raises(Exception, match="Got invalid dimensions"):
        session.run({"latent": np.ones((2, 4), np.float32)})
    assert (session.provider, session.reason) == (CUDA, "")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Gemm node. "
            "bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 8388608000\n",
            "Failed to allocate memory for requested buffer of size 8388608000",
        ),
        ("\n  something else\nand more", "something else"),
    ],
)
def test_of_onnxruntime_s_errors_one_line_is_kept(said, kept):
    assert inference.first_line(RuntimeError(said)) == kept


def test_a_driver_too_old_for_onnxruntime_is_named(driver):
    driver(FakeDriver(version=12080))
    assert why_not_cuda() == "the NVIDIA driver supports CUDA 12.8, onnxruntime needs 13.0: update the driver"


def test_a_build_without_cuda_is_the_first_reason(monkeypatch):
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    assert why_not_cuda() == "this onnxruntime is built without CUDA"


def test_opening_prints_nothing_and_needs_neither_torch_nor_onnx(decoder, tmp_path):
    (tmp_path / "decoder.onnx").write_bytes(decoder)
    code = (
        "import sys, pathlib\n"
        "from autoencoder.inference import open_session\n"
        "open_session(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "sys.exit(sorted({'torch', 'onnx', 'streamlit'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "decoder.onnx"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
