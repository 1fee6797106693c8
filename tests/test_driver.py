"""driver.py: why there is no GPU, in the driver's words."""

import subprocess
import sys

import onnxruntime
import pytest
import torch

from autoencoder.driver import why_no_gpu, why_no_work
from autoencoder.inference import CUDA
from tests.nvidia import FakeDriver, build_driver, pretend
from tests.processes import start

TOO_OLD = "the NVIDIA driver supports CUDA 12.4, {} needs 13.0: update the driver"
CASES = {
    "DRIVER_VERSION=12040": TOO_OLD,
    "DRIVER_INIT=100": "no visible CUDA device",
    "DRIVER_INIT=803": "the NVIDIA driver does not start: words of the driver (803)",
    "DRIVER_DEVICES=0": "there is no CUDA device 0 among 0 visible",
    "DRIVER_FAILS=2": "the GPU does not start: words of the driver (2)",
}
# What a library that really loads the driver makes of it: torch from the runtime it brings, onnxruntime from its own.
SCRIPT = """
import sys
import torch
from autoencoder.devices import select_device
from autoencoder.inference import open_session
print(torch.version.cuda, file=sys.stderr)
device, reason = select_device()
print(device, reason, sep=": ")
for name in ("cuda", "cuda:1"):
    try:
        select_device(name)
    except ValueError as error:
        print(error)
print(select_device("cpu"))
session = open_session(open(sys.argv[1], "rb").read())
print(session.provider, session.reason, sep=": ")
"""


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        (FakeDriver(), None),
        (FakeDriver(version=13020), None),
        (FakeDriver(version=14000), None),
        (FakeDriver(version=12080), "the NVIDIA driver supports CUDA 12.8, torch needs 13.0: update the driver"),
        (FakeDriver(start=100), "no visible CUDA device"),
        (FakeDriver(start=803), "the NVIDIA driver does not start: system has unsupported display driver (803)"),
        (FakeDriver(start=9999), "the NVIDIA driver does not start: CUDA error (9999)"),
        (FakeDriver(devices=0), "there is no CUDA device 0 among 0 visible"),
        (None, "no NVIDIA driver on this machine"),
    ],
)
def test_the_driver_is_asked_and_quoted(monkeypatch, fake, reason):
    pretend(monkeypatch, fake)
    assert why_no_gpu("13.0", "torch") == reason


def test_a_second_device_must_exist(monkeypatch):
    pretend(monkeypatch, FakeDriver(devices=1))
    assert why_no_gpu("13.0", "torch", index=1) == "there is no CUDA device 1 among 1 visible"


@pytest.mark.parametrize(
    ("fake", "reason"),
    [(FakeDriver(), None), (FakeDriver(work=2), "the GPU does not start: out of memory (2)")],
)
def test_whether_work_can_begin(monkeypatch, fake, reason):
    pretend(monkeypatch, fake)
    assert why_no_work() == reason


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.parametrize("case", CASES)
def test_torch_and_onnxruntime_fall_back_to_the_cpu_and_say_why(case, export, tmp_path):
    if torch.version.cuda != "13.0":
        pytest.skip(f"the drivers pretended here are for CUDA 13.0, this torch is for {torch.version.cuda}")
    environment = build_driver(tmp_path)
    decoder = export(tmp_path, "ae", "ae", latent_dim=3) / "decoder.onnx"
    name, _, value = case.partition("=")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, decoder],
        env={**environment, name: value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == f"{torch.version.cuda}\n"  # and no warning of torch's
    reason, built = CASES[case].format("torch"), CUDA in onnxruntime.get_available_providers()
    second = "there is no CUDA device 1 among 1 visible" if "FAILS" in case else reason.replace("device 0", "device 1")
    assert done.stdout.splitlines() == [
        f"cpu: {reason}",
        f"DEVICE=cuda: {reason}; DEVICE=cpu works without a GPU",
        f"DEVICE=cuda:1: {second}; DEVICE=cpu works without a GPU",
        "(device(type='cpu'), '')",
        f"CPUExecutionProvider: {CASES[case].format('onnxruntime') if built else 'this onnxruntime is built without CUDA'}",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux finds libraries")
@pytest.mark.parametrize(
    ("setting", "found"), [({"DRIVER_CAPABILITY": "61"}, "(6, 1)"), ({"DRIVER_INIT": "803"}, "None")]
)
def test_the_driver_says_what_a_gpu_understands(setting, found, tmp_path):
    script = "from autoencoder.driver import compute_capability\nprint(compute_capability())"
    assert start(script, {**build_driver(tmp_path), **setting}) == (0, f"{found}\n", "")
