"""checkpoints.py and serialization.py: saved is loaded, equal content is equal bytes, damage is one clear error."""

import os
import pickle
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from autoencoder.checkpoints import ResumePoint, load_checkpoint, save_checkpoint
from autoencoder.models import MODEL_PARAMS, PCA, build_model
from tests.small_params import KINDS

CPU = torch.device("cpu")


def images(count: int = 5) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def save(path: Path, kind: str, seed: int = 3) -> Any:
    """A new model of the kind, written to the path."""
    params = MODEL_PARAMS.validate_python(KINDS[kind])
    model = build_model(params, seed)
    if isinstance(model, PCA):
        model.fit(images(40))
    save_checkpoint(path, model, params)
    return model.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_is_the_saved_one(kind, tmp_path):
    model = save(tmp_path / "model.pt", kind)
    loaded, params = load_checkpoint(tmp_path / "model.pt", CPU)
    assert params == KINDS[kind]
    assert type(loaded) is type(model)
    assert loaded.latent_dim == model.latent_dim
    assert not loaded.training
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    with torch.no_grad():
        latent = model.encode(images())
        assert torch.equal(loaded.encode(images()), latent)
        assert torch.equal(loaded.decode(latent), model.decode(latent))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_models_are_equal_bytes_wherever_they_lie(kind, tmp_path):
    save(tmp_path / "a.pt", kind)
    save(tmp_path / "deep" / "er" / "b.pt", kind)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "deep" / "er" / "b.pt").read_bytes()


def test_the_memory_format_changes_no_byte(tmp_path):
    model = save(tmp_path / "a.pt", "vae_conv").to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "b.pt", model, MODEL_PARAMS.validate_python(KINDS["vae_conv"]))
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_saving_what_was_loaded_gives_the_same_bytes(tmp_path):
    save(tmp_path / "a.pt", "vae_conv")
    model, params = load_checkpoint(tmp_path / "a.pt", CPU)
    save_checkpoint(tmp_path / "b.pt", model, MODEL_PARAMS.validate_python(params))
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_other_weights_are_other_bytes(tmp_path):
    save(tmp_path / "a.pt", "ae_mlp", seed=1)
    save(tmp_path / "b.pt", "ae_mlp", seed=2)
    assert (tmp_path / "a.pt").read_bytes() != (tmp_path / "b.pt").read_bytes()


def spoil(path: Path, damage: str) -> None:
    content = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "text":
            path.write_text("not found\n")
        case "pickle of code":
            path.write_bytes(pickle.dumps(os.getcwd, protocol=2))
        case "one wrong byte":
            place = content.index(b"rows" if b"rows" in content else b"latent_dim")
            path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        case "a folder":
            path.unlink()
            path.mkdir()
        case "no dictionary":
            torch.save([1, 2], path)
        case "no weights":
            torch.save({"params": KINDS["ae_mlp"]}, path)
        case "unknown kind":
            torch.save({"params": {"kind": "gan"}, "weights": {}}, path)
        case "other shapes":
            saved = torch.load(path, weights_only=True)
            torch.save({**saved, "params": {**KINDS["ae_mlp"], "latent_dim": 4}}, path)
        case "other names":
            saved = torch.load(path, weights_only=True)
            torch.save({**saved, "params": KINDS["vae_mlp"]}, path)
        case "weights of a text":
            torch.save({"params": KINDS["ae_mlp"], "weights": "none"}, path)


DAMAGES = ["missing", "empty", "truncated", "text", "pickle of code", "one wrong byte", "a folder"]
FOREIGN = ["no dictionary", "no weights", "unknown kind", "other shapes", "other names", "weights of a text"]


@pytest.mark.parametrize("damage", DAMAGES + FOREIGN)
def test_an_unusable_checkpoint_is_one_clear_error(damage, tmp_path):
    path = tmp_path / "model.pt"
    save(path, "ae_mlp")
    spoil(path, damage)
    with pytest.raises(ValueError, match=r"model\.pt is no usable checkpoint \(.*\)$") as e:
        load_checkpoint(path, CPU)
    assert "\n" not in str(e.value)


STATE = {"training": {"epoch": 3, "weight": torch.arange(3.0)}, "history": {"rows": ["1,train"], "pictures": [b"png"]}}


def test_a_resume_point_gives_back_what_it_was_given(tmp_path):
    point = ResumePoint(tmp_path / "new", "vae", ["data"])
    assert point.load() is None
    point.save(STATE)
    loaded = ResumePoint(tmp_path / "new", "vae", ["data"]).load()
    assert loaded is not None
    assert loaded["history"] == STATE["history"]
    assert loaded["training"]["epoch"] == 3
    assert torch.equal(loaded["training"]["weight"], STATE["training"]["weight"])


def test_a_resume_point_is_only_for_the_same_run(tmp_path):
    run: list[Any] = ["a1b2", {"validation_size": 10}, 0, {"kind": "vae", "beta": 1.0}, ["cpu (2 threads)", "2.11"]]
    point = ResumePoint(tmp_path, "vae", run)
    others: list[list[Any]] = [
        ["a1b3", *run[1:]],
        [run[0], {"validation_size": 11}, *run[2:]],
        [*run[:2], 1, *run[3:]],
        [*run[:3], {"kind": "vae", "beta": 1.0000001}, run[4]],
        [*run[:4], ["cuda:0 (NVIDIA H100)", "2.11"]],
        [*run[:4], ["cpu (2 threads)", "2.12"]],
    ]
    paths = {ResumePoint(tmp_path, "vae", other).path for other in others}
    assert len(paths) == len(others)
    assert point.path not in paths
    assert ResumePoint(tmp_path, "ae", run).path != point.path
    assert ResumePoint(tmp_path, "vae", [*run]).path == point.path
    point.save(STATE)
    assert all(ResumePoint(tmp_path, "vae", other).load() is None for other in others)


def test_a_resume_point_is_only_for_the_same_code(tmp_path, monkeypatch):
    before = ResumePoint(tmp_path, "vae", []).path
    source = tmp_path / "layers.py"
    source.write_text("WIDTH = 512\n")
    module = ModuleType("autoencoder.layers")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, "autoencoder.layers", module)
    loaded = ResumePoint(tmp_path, "vae", []).path
    source.write_text("WIDTH = 513\n")
    edited = ResumePoint(tmp_path, "vae", []).path
    assert len({before, loaded, edited}) == 3
    monkeypatch.delitem(sys.modules, "autoencoder.layers")
    assert ResumePoint(tmp_path, "vae", []).path == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_unreadable_resume_point_means_starting_over(damage, tmp_path):
    point = ResumePoint(tmp_path, "vae", [])
    point.save(STATE)
    spoil(point.path, damage)
    assert point.load() is None


def test_discarding_forgets_this_state_and_those_that_nobody_has_gone_on_from_for_a_month(tmp_path):
    names = [("vae", 0), ("vae", 1), ("ae", 0), ("ae", 1)]
    finished, other, _, old = points = [ResumePoint(tmp_path, name, [run]) for name, run in names]
    for point in points:
        point.save(STATE)
    (tmp_path / "no-mirror-reachable.txt").write_text("{}")
    month_ago = time.time() - 31 * 24 * 3600
    killed = [tmp_path / f".{name}.pt.partial" for name in ("vae-0", "vae-1")]  # while it wrote
    for path in killed:
        path.write_bytes(b"half")
    for path in (old.path, killed[0]):
        os.utime(path, (month_ago, month_ago))
    finished.discard()
    finished.discard()
    assert [point.load() is None for point in points] == [True, False, False, True]
    assert [path.exists() for path in killed] == [False, True]
    assert other.path.exists()  # a quick try with other parameters costs no long run its state
    assert (tmp_path / "no-mirror-reachable.txt").exists()


def test_a_gpu_without_memory_is_not_blamed_on_the_checkpoint(tmp_path, monkeypatch):
    save(tmp_path / "model.pt", "vae_mlp")

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(torch.OutOfMemoryError):
        load_checkpoint(tmp_path / "model.pt", CPU)
