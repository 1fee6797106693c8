"""What a figure was measured on, as recorded and in words."""

import os

import pytest
import torch

from scripts.machine import environment, in_words


def test_this_machine_is_recorded():
    machine = environment(torch.device("cpu"))
    assert (machine["torch"], machine["cpu_cores"]) == (torch.__version__, os.cpu_count())
    assert machine["cpu"]
    assert "gpu" not in machine


def test_a_machine_that_does_not_tell_its_driver_is_recorded_all_the_same(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "H100")
    machine = environment(torch.device("cuda"))
    assert (machine["gpu"], machine["driver"]) == ("H100", "unknown")


@pytest.mark.parametrize(("said", "driver"), [("580.1\n580.1\n", "580.1"), ("", "unknown")])
def test_the_driver_of_several_gpus_is_recorded_once(said, driver, monkeypatch, tmp_path):
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\nprintf '{said}'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "H100")
    assert environment(torch.device("cuda"))["driver"] == driver


def test_what_computes_is_named():
    machine: dict[str, str | int] = {"cpu": "Z80", "cpu_cores": 2, "torch": "3.0"}
    assert in_words(machine) == "Z80, 2 cores, torch 3.0"
    assert in_words({**machine, "instructions": "LDIR"}) == "Z80, 2 cores, LDIR, torch 3.0"
    assert in_words({**machine, "gpu": "H100"}) == "H100, torch 3.0"
