"""The page shows pictures that exist, and the models of params.yaml."""

import re
from pathlib import Path

from autoencoder.config import Parameters
from autoencoder.report import page

ROOT = Path(__file__).parents[1]
MODELS = Parameters.load(ROOT / "params.yaml").tree["models"]


def test_every_picture_of_the_page_is_there(last_run):
    text = page(last_run, MODELS, "../plots")
    links = re.findall(r'(?:src="|\]\()([^")]+\.png)', text)
    assert len(links) > 8
    for link in links:
        assert (ROOT / "report" / link).resolve().is_file(), link


def test_the_page_lists_the_models_of_params_yaml_alone(last_run):
    fewer = {name: MODELS[name] for name in ("pca", "vae_2d")}
    text = page(last_run, fewer, "../plots")
    assert "`vae_2d`" in text
    assert "`vae`" not in text
    assert "there is nothing to compare" in text
    assert "None of them is in params.yaml." in text
