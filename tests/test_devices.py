"""devices.py: where torch runs, and how it computes there."""

import subprocess
import sys

import pytest
import torch

from autoencoder import devices
from autoencoder.devices import configure, describe_device, select_device
from autoencoder.errors import ForeseenError
from tests.pretended_gpu import pretended_gpu

SCRIPT = """
import torch
from autoencoder import devices
from autoencoder.devices import configure
{configure}
tiny = torch.full((1024, 1024), 1e-40)  # large enough for several threads
print((tiny * 0.5).count_nonzero().item())
"""


@pytest.mark.parametrize(
    ("configure", "left"), [("", 1024 * 1024), ("configure(torch.device('cpu'), tf32=False)", 0)], ids=["as is", "set"]
)
def test_numbers_that_slow_a_cpu_down_count_as_zero_in_every_thread(configure, left):
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor has no such mode")
    torch.set_flush_denormal(False)
    command = [sys.executable, "-c", SCRIPT.format(configure=configure)]
    assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) == left


def test_computing_the_same_bits_every_time_does_not_cost_the_import_of_a_compiler():
    script = SCRIPT.format(configure="configure(torch.device('cpu'), tf32=False)") + "import sys\n"
    script += "print(torch.are_deterministic_algorithms_enabled(), 'torch._inductor' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split()[1:] == ["True", "False"]


@pytest.mark.parametrize("tf32", [False, True])
def test_how_a_gpu_multiplies_is_set_so_that_every_part_of_torch_can_read_it(tf32):
    with pretended_gpu():
        configure(torch.device("cuda", 0), tf32)
        read = [
            torch.backends.cuda.matmul.fp32_precision == "tf32",
            torch.backends.cudnn.conv.fp32_precision == "tf32",  # type: ignore[attr-defined]
            torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.allow_tf32,  # the exporter reads this one
            torch.get_float32_matmul_precision() == "high",  # and the compiler this one
        ]
    assert read == [tf32] * 5


@pytest.mark.parametrize("name", ["cpu", " CPU "])
def test_the_cpu_can_always_be_chosen(name):
    assert select_device(name) == (torch.device("cpu"), "")
    assert describe_device(torch.device("cpu")).startswith("cpu (")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "cuda:", "cudaa", "cpu:0"])
def test_what_is_no_device_is_named(name):
    with pytest.raises(ValueError, match=f"^DEVICE={name}: expected auto, cpu, cuda or cuda:<index>$"):
        select_device(name)


def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^DEVICE=cuda:99: .+; DEVICE=cpu works without a GPU$"):
        select_device("cuda:99")


def test_auto_takes_the_gpu_that_torch_can_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert select_device("auto") == (torch.device("cuda:0"), "")
    assert select_device("cuda:1") == (torch.device("cuda:1"), "")
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(ValueError, match="this torch is built without CUDA"):
        select_device("cuda:2")


@pytest.mark.parametrize(
    ("capability", "fits"),
    [
        ((6, 1), False),
        ((7, 0), False),
        ((7, 5), True),
        ((8, 0), False),
        ((8, 9), True),
        ((9, 0), True),
        ((9, 1), False),
        ((10, 3), True),
        ((11, 0), False),
        ((12, 0), True),
        ((12, 1), True),
    ],
)
def test_a_gpu_that_torch_has_no_kernels_for_is_left_alone(capability, fits, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_86", "sm_90a", "sm_100f", "compute_120"])
    monkeypatch.setattr(devices, "compute_capability", lambda index: capability if index == 0 else None)
    if fits:
        assert select_device("auto") == (torch.device("cuda:0"), "")
        return
    why = f"this torch has no kernels for a GPU of compute capability {capability[0]}.{capability[1]}"
    assert select_device("auto") == (torch.device("cpu"), why)
    with pytest.raises(ForeseenError, match=f"^DEVICE=cuda: {why}; DEVICE=cpu works without a GPU$"):
        select_device("cuda")
