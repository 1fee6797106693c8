import pytest
import torch

from autoencoder.devices import configure


def test_numbers_that_slow_a_cpu_down_count_as_zero():
    tiny = torch.tensor([1e-40])
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor has no such mode")
    torch.set_flush_denormal(False)
    assert (tiny * 0.5).item() > 0

    configure(torch.device("cpu"), tf32=False)
    try:
        assert (tiny * 0.5).item() == 0
    finally:
        torch.set_flush_denormal(False)
