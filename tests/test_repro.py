"""`make repro` where no mirror is reachable: the demo stands in, unless the data is in DVC's cache."""

import json
from pathlib import Path

import pytest

from autoencoder.datasets import make_digits, write_dataset
from scripts import demo, repro
from scripts.dvc_command import dvc, lay_out
from stages.download import UNREACHABLE_PATH
from tests.small_params import small_params

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
NOWHERE = ["http://localhost:9/"]
DATA = Path("data/mnist.npz")


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace for MNIST, none of whose mirrors answers."""
    monkeypatch.chdir(ROOT)
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNIST_MIRROR", raising=False)
    params = small_params(
        models={"pca": {"kind": "pca", "latent_dim": 2}},
    )
    params["data"] |= {"dataset": "mnist", "mirrors": dict.fromkeys(params["data"]["mirrors"], NOWHERE)}
    Path("params.yaml").write_text(json.dumps(params))


def test_the_demo_stands_in_for_data_that_cannot_be_had(monkeypatch, capfd):
    monkeypatch.setattr(demo, "main", lambda: 7)
    assert repro.main() == 7
    assert "MNIST COULD NOT BE DOWNLOADED" in capfd.readouterr().out


def test_why_an_earlier_run_had_no_data_says_nothing_of_this_one(monkeypatch):
    monkeypatch.setattr(demo, "main", lambda: pytest.fail("the demo was run"))
    UNREACHABLE_PATH.parent.mkdir(exist_ok=True)
    UNREACHABLE_PATH.write_text("of last week")
    monkeypatch.setattr(repro, "dvc", lambda *_: 255)  # interrupted before the download began
    assert repro.main() == 255


@pytest.mark.parametrize("mistaken", ["models: [", "seed: -1\n"])
def test_the_demo_does_not_begin_with_mistakes_in_params_yaml(mistaken, capsys):
    Path("params.yaml").write_text(mistaken)
    assert demo.main() == 1
    assert capsys.readouterr().err.startswith("params.yaml")
    assert not Path("demo").exists()


def test_data_that_dvc_has_kept_is_not_given_up_for_a_changed_helper(monkeypatch, capfd):
    monkeypatch.setattr(demo, "main", lambda: pytest.fail("the demo was run"))
    write_dataset(DATA, make_digits())
    before = DATA.read_bytes()
    assert dvc("commit", "--force", "download") == 0
    helper = Path("autoencoder/files.py")
    helper.write_text(helper.read_text() + "# changed\n")
    for _ in range(2):  # DVC has removed the data in the first, and would in the second
        assert repro.main() != 0
        assert DATA.read_bytes() == before
        assert "dvc commit --force download" in capfd.readouterr().err
    assert dvc("commit", "--force", "download") == 0
    assert dvc("repro", "download") == 0
    assert "no mirror" not in capfd.readouterr().err
