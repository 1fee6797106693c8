import subprocess
import sys

import pytest
import torch

SCRIPT = """
import torch
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
