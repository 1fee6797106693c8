"""The page Compare: the same question to every model, their figures, and the two claims."""

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from autoencoder.catalog import PER_PRIOR, PRIOR_MEANINGS
from autoencoder.headline import HEADLINE
from tests.pages import open_page, page_html


@pytest.fixture
def measured(root: Path) -> Path:
    """The workspace after evaluation: every figure is .5, but for those that a test looks at."""
    in_words = {
        "nll_gmm", "label_flip_rate_iqr", "normalized_path_length_iqr", "blend_acceptance", "noise_acceptance",
        "reconstruction_acceptance", "coverage_reconstruction", "classifier_accuracy",
    }  # fmt: skip
    names = {*in_words, *HEADLINE, *(f"{metric.name}_{prior}" for metric in PER_PRIOR for prior in PRIOR_MEANINGS)}
    (root / "details").mkdir()
    for name, error in (("pca", 0.02), ("vae", 0.01), ("real", 0.0)):
        figures = dict.fromkeys(names, 0.5) | {"reconstruction_mse": error, "ssim": 0.9, "classifier": "11111111"}
        (root / "details" / f"{name}.json").write_text(json.dumps(figures))
    return root


@pytest.fixture
def compare(measured, monkeypatch):
    return open_page(monkeypatch, measured, "compare.py")


def view(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="view").set_value(name).run()
    assert not app.exception
    return app


def test_every_model_answers_the_same_questions(compare):
    html = page_html(compare)
    for name in ("pca", "vae"):
        for what in ("reconstruction", "samples", "walk"):
            assert f'alt="{name}: {what}"' in html
    again = page_html(compare.sidebar.number_input(key="index").set_value(5).run())
    assert again != html


def test_the_noise_changes_the_samples_and_nothing_else(compare):
    def picture(html: str, alt: str) -> str:
        return html.split(f'alt="{alt}"')[0].rsplit("base64,", 1)[1]

    before = page_html(compare)
    after = page_html(compare.sidebar.number_input(key="seed").set_value(3).run())
    assert picture(after, "vae: samples") != picture(before, "vae: samples")
    assert picture(after, "vae: walk") == picture(before, "vae: walk")


def test_figures_mark_the_best_and_explain_themselves(compare):
    html = page_html(view(compare, "figures"))
    row = html.split("reconstruction_mse ↓")[1].split("</tr>")[0]
    assert "<td class=best>0.01</td>" in row
    assert "<td>0.02</td>" in row
    assert "<td>0</td>" in row  # real images do not compete
    assert 'title="mean over pixels of' in html
    assert "<dt>reconstruction_mse</dt><dd>mean over pixels of" in html  # without a pointer to hover with
    assert "ssim" not in html
    every = page_html(compare.sidebar.toggle(key="every").set_value(True).run())
    assert "ssim ↑" in every
    assert "11111111" not in every


def test_without_a_pair_there_is_no_claim_to_judge(compare):
    view(compare, "claims")
    assert "no autoencoder with a VAE of the same size" in compare.info[0].value


@pytest.fixture
def pair(measured: Path) -> None:
    """Params.yaml has an autoencoder and a VAE that can be compared."""
    network = "network: {type: mlp, hidden: [8]}"
    models = "".join(
        f"  {name}: {{kind: {kind}, latent_dim: 8, {network}}}\n" for name, kind in (("pca", "ae"), ("vae", "vae"))
    )
    (measured / "params.yaml").write_text(f"models:\n{models}")


@pytest.mark.usefixtures("pair")
def test_the_claims_follow_the_figures(compare):
    view(compare, "claims")
    text = "\n".join(element.value for element in compare.markdown)
    assert "In 8 dimensions (`pca`, `vae`)" in text
    assert "**the claim does not hold**" in text
    assert "N(0, I) costs the VAE 0 nats per image" in text
    assert "it is also sure of 50% of the pixel averages" in text
    assert "dvc repro report" in compare.info[0].value  # the chart is not there


@pytest.mark.usefixtures("pair")
def test_the_chart_says_that_it_shows_all_models(measured, compare):
    (measured / "report").mkdir()
    (measured / "report" / "claims.png").write_bytes(b"a picture")
    view(compare, "claims")
    assert compare.caption[-1].value.startswith("Of all models, whatever is chosen")
    assert 'alt="continuity and completeness of every model"' in page_html(compare)


def columns(html: str) -> list[str]:
    return re.findall(r"<th>([^<]+)</th>", html.split('<div class="figures">')[1].split("</tr>")[0])


def test_figures_that_are_missing_are_named_with_the_command_beside_the_others(measured, compare):
    """As while `dvc repro` evaluates: it removes what it is about to write."""
    assert columns(page_html(view(compare, "figures"))) == ["pca", "vae", "real images"]
    (measured / "details" / "vae.json").unlink()
    assert columns(page_html(compare.run())) == ["pca", "real images"]
    assert "**vae**: no figures in `details/vae.json`" in compare.warning[0].value
    assert compare.warning[0].value.endswith("If no run is under way: `dvc repro evaluate@vae export_classifier`")
    for name in ("pca", "real"):
        (measured / "details" / f"{name}.json").unlink()
    page_html(compare.run())
    assert "Real images" in compare.warning[2].value


def test_figures_of_an_earlier_export_are_not_those_of_the_models_on_screen(measured, compare):
    path = measured / "details" / "vae.json"
    figures = json.loads(path.read_text())
    exported = json.loads((measured / "models" / "vae" / "onnx" / "manifest.json").read_text())
    path.write_text(json.dumps(figures | {"latents": "01234567"}))
    assert columns(page_html(view(compare, "figures"))) == ["pca", "real images"]
    assert "or those of an earlier export" in compare.warning[0].value
    path.write_text(json.dumps(figures | {"latents": exported["files"]["latents.npz"]["sha256"][:8]}))
    assert columns(page_html(compare.run())) == ["pca", "vae", "real images"]
    assert not compare.warning


def test_figures_of_another_classifier_are_not_shown_beside_those_of_this_one(measured, compare):
    for name, others in (("vae", ["pca", "real images"]), ("real", ["pca", "vae"])):
        path = measured / "details" / f"{name}.json"
        figures = path.read_text()
        path.write_text(json.dumps(json.loads(figures) | {"classifier": "76543210"}))
        assert columns(page_html(view(compare, "figures"))) == others
        assert "earlier export or classifier" in compare.warning[0].value
        path.write_text(figures)
    assert columns(page_html(compare.run())) == ["pca", "vae", "real images"]
    assert not compare.warning


@pytest.mark.usefixtures("pair")
def test_claims_without_figures_are_left_out(measured, compare):
    (measured / "details" / "vae.json").unlink()
    view(compare, "claims")
    assert "`dvc repro evaluate@vae export_classifier`" in compare.warning[0].value
    assert not compare.markdown


@pytest.mark.usefixtures("pair")
def test_figures_of_an_earlier_version_are_named_with_the_command(measured, compare):
    path = measured / "details" / "vae.json"
    figures = json.loads(path.read_text())
    del figures["nll_gmm"]
    path.write_text(json.dumps(figures))
    view(compare, "claims")
    assert "`details/` lacks `nll_gmm`" in compare.error[0].value
    assert "`dvc repro report`" in compare.error[0].value
