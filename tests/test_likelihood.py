"""The benchmark of likelihoods: what it asks of the pipeline, and what it takes down."""

import json
from pathlib import Path

import pytest

from autoencoder.config import Parameters
from autoencoder.datasets import make_digits, write_dataset
from autoencoder.recipe import TRAIN_PARAMS
from benchmarks import likelihood
from benchmarks.parts import RESULTS
from scripts.check_params import mistakes
from scripts.documents import PARTS
from scripts.dvc_command import lay_out
from tests.small_params import VAE_PARAMS, small_params

ROOT = Path(__file__).parents[1]
SETTINGS = Parameters.load(ROOT / likelihood.SETTINGS).tree
SMALL = {
    "density": {"components": 3, "codes": 300},
    "evaluate": {"iwae_samples": 7, "iwae_images": 50},
    "models": {"vae_small": {**VAE_PARAMS, "importance_samples": 2, "binarize": "dynamic"}},
}


@pytest.mark.parametrize("name", SETTINGS["models"])
def test_its_models_can_be_pasted_into_params_yaml(name, tmp_path, monkeypatch):
    params = likelihood.adapted(Parameters.load(ROOT / "params.yaml").tree, SETTINGS)
    TRAIN_PARAMS.validate_python(params["models"][name])
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    assert list(mistakes()) == []


def test_what_the_settings_do_not_name_stays():
    params = {"seed": 3, "evaluate": {"iwae_samples": 1, "neighbors": 5}, "density": {"codes": 9}, "models": {"ae": {}}}
    found = likelihood.adapted(params, SMALL)
    assert found["seed"] == 3
    assert found["evaluate"] == {"iwae_samples": 7, "iwae_images": 50, "neighbors": 5}
    assert list(found["models"]) == ["vae_small"]


@pytest.mark.slow
def test_a_model_goes_through_the_pipeline_and_its_figures_are_kept(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setattr(likelihood, "DATA", Path("data/digits.npz"))
    small = small_params(models={"other": VAE_PARAMS})
    Path("params.yaml").write_text(json.dumps(small))
    likelihood.SETTINGS.parent.mkdir()
    likelihood.SETTINGS.write_text(json.dumps(SMALL))
    with pytest.raises(SystemExit, match=r"data/digits\.npz is missing"):
        likelihood.main(["vae_small"])
    write_dataset(Path("data/digits.npz"), make_digits())
    RESULTS.mkdir()
    (RESULTS / "likelihood.json").write_text('{"other": {"nll": 80.0}}')

    assert likelihood.main(["vae_small"]) == 0
    found = json.loads((RESULTS / "likelihood.json").read_text())
    assert found["other"] == {"nll": 80.0}
    measured = json.loads((likelihood.FOLDER / "details" / "vae_small.json").read_text())
    assert found["vae_small"]["nll"] == float(f"{measured['nll']:.4g}")
    assert (found["vae_small"]["iwae_samples"], found["vae_small"]["iwae_images"]) == (7, 50)
    assert all(seconds > 0 for seconds in found["vae_small"]["seconds"].values())
    found["vae_small"]["environment"] |= {"cpu": "another"}
    (RESULTS / "likelihood.json").write_text(json.dumps({"vae_small": found["vae_small"]}))
    assert f"| `vae_small` | 0 | **{found['vae_small']['nll']:.2f}** |" in PARTS["likelihood"]()

    capfd.readouterr()
    assert likelihood.main(["vae_small"]) == 0
    assert "stages.train" not in capfd.readouterr().out  # finished: nothing of it runs again
    again = json.loads((RESULTS / "likelihood.json").read_text())["vae_small"]
    assert again == found["vae_small"]  # the machine that has measured it, too
