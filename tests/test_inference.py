"""inference.py: onnxruntime opened quietly, and the truth about what serves."""

import ctypes
import subprocess
import sys
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from autoencoder import inference
from autoencoder.inference import CPU, CUDA, DeviceError, open_session, why_not_cuda


class FakeDriver:
    """libcuda as ctypes shows it."""

    def __init__(self, start: int = 0, version: int = 13000, devices: int = 1) -> None:
        self.start, self.version, self.devices = start, version, devices

    def cuInit(self, flags: int) -> int:  # noqa: N802, ARG002 - the driver's own signature
        return self.start

    def cuDriverGetVersion(self, value: Any) -> None:  # noqa: N802
        value._obj.value = self.version

    def cuDeviceGetCount(self, value: Any) -> None:  # noqa: N802
        value._obj.value = self.devices


@pytest.fixture
def decoder(export, tmp_path) -> bytes:
    return (export(tmp_path, "ae", "ae", latent_dim=3) / "decoder.onnx").read_bytes()


@pytest.fixture
def driver(monkeypatch):
    """Pretend that this driver answers: `driver(FakeDriver(...))`; None for a machine without one."""

    def pretend(fake: FakeDriver | None) -> None:
        def load(name: str) -> FakeDriver:
            if fake is None:
                raise OSError(name)
            return fake

        monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
        monkeypatch.setattr(ort, "cuda_version", "13.0")
        monkeypatch.setattr(ctypes, "CDLL", load)

    return pretend


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


def test_auto_without_a_driver_serves_on_the_cpu_and_says_why(decoder, driver):
    driver(None)
    session = open_session(decoder)
    assert (session.provider, session.reason) == (CPU, "no NVIDIA driver on this machine")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_device_asked_for_by_name_is_never_replaced(decoder, driver, device):
    driver(None)
    with pytest.raises(DeviceError, match=f"{device} was asked for, but no NVIDIA driver"):
        open_session(decoder, device)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", ""])
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


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        (FakeDriver(), None),
        (FakeDriver(start=100), "no visible CUDA device"),
        (FakeDriver(start=999), "the NVIDIA driver does not start (cuInit: 999)"),
        (FakeDriver(version=12080), "the NVIDIA driver supports CUDA 12.8, onnxruntime needs 13.0"),
        (FakeDriver(devices=0), "there is no CUDA device 0 among 0 visible"),
        (None, "no NVIDIA driver on this machine"),
    ],
)
def test_the_driver_is_asked_and_quoted(driver, fake, reason):
    driver(fake)
    assert why_not_cuda() == reason


def test_a_second_device_must_exist(driver):
    driver(FakeDriver(devices=1))
    assert why_not_cuda(1) == "there is no CUDA device 1 among 1 visible"


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
