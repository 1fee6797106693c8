"""The page Runs: what is on screen, and how another run differs, without DVC."""

import json
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.pages import APP, open_page, page_html, show


@pytest.fixture
def runs(root, export, tmp_path, monkeypatch):
    """The page over a workspace whose `vae` had 5 dimensions in the last commit."""
    monkeypatch.syspath_prepend(APP)
    import experiments

    parameters = [experiments.Difference("params.yaml", "models.vae.latent_dim", 5, 8)]
    figures = [
        experiments.Difference("metrics/vae.json", "nll", 95.0, 90.0),
        experiments.Difference("metrics/vae.json", "coverage_normal", 0.7, 0.6),
        experiments.Difference("metrics/vae.json", "kl_divergence", 20.0, 25.0),
        experiments.Difference("metrics/pca.json", "ssim", None, 0.5),
    ]
    monkeypatch.setattr(experiments, "revisions", lambda _: ["HEAD", "wider"])
    monkeypatch.setattr(experiments, "parameters", lambda _, revision: parameters if revision == "HEAD" else [])
    monkeypatch.setattr(experiments, "figures", lambda _, revision: figures if revision == "HEAD" else [])
    monkeypatch.setattr(
        experiments, "export", lambda *_: nullcontext(export(tmp_path / "there", "vae", "vae", latent_dim=5))
    )
    return open_page(monkeypatch, root, "runs.py")


def row(html: str, name: str) -> str:
    return html.split(f"<th>{name}</th>")[1].split("</tr>")[0]


def test_what_is_on_screen_is_named(runs):
    html = page_html(runs)
    assert row(html, "latent_dim") == "<td>8</td><td>8</td>"
    assert row(html, "kind") == "<td>pca</td><td>vae</td>"
    assert "<th>decoder.onnx, sha256</th>" in html


def test_parameters_are_those_of_the_training_also_when_params_yaml_has_changed(runs, root):
    for latent_dim in (8, 3):
        models = {"pca": {"kind": "pca", "latent_dim": 8}, "vae": {"kind": "vae", "latent_dim": latent_dim}}
        (root / "params.yaml").write_text(json.dumps({"models": models}))
        html = page_html(runs.run())
        assert bool(runs.caption) is (latent_dim != 8)
    assert row(html, "latent_dim") == "<td>8</td><td>8</td>"
    assert row(html, "onnxruntime and torch agree within") == "<td>1.2e-06</td><td>1.2e-06</td>"
    assert "changed for vae: `dvc repro export@vae` follows it." in runs.caption[0].value


def test_only_a_figure_that_has_become_better_is_marked(runs):
    html = page_html(runs)
    assert row(html, "models.vae.latent_dim") == "<td>5</td><td>8</td>"
    assert row(html, "vae: nll") == "<td>95</td><td class=best>90</td>"
    assert row(html, "vae: coverage_normal") == "<td>0.7</td><td>0.6</td>"
    assert row(html, "vae: kl_divergence") == "<td>20</td><td>25</td>"  # has no direction
    assert row(html, "pca: ssim") == "<td></td><td>0.5</td>"


def test_the_same_images_go_through_both_exports(runs):
    runs.segmented_control(key="both").set_value("vae").run()
    assert runs.query_params["both"] == "vae"
    show(runs, "sample.py")
    html = page_html(show(runs, "runs.py"))
    assert html.count('alt="there"') == html.count('alt="here"') == 8
    there, here = (html.split(f'alt="{side}"')[0].rsplit("base64,", 1)[1] for side in ("there", "here"))
    assert there != here


def test_a_run_that_differs_in_nothing_says_so(runs):
    runs.selectbox(key="revision").set_value("wider").run()
    page_html(runs)
    assert "Parameters and figures are those of wider" in runs.info[0].value


def test_what_dvc_cannot_answer_is_said_in_one_line(runs, monkeypatch):
    import experiments

    def fail(*_: object) -> None:
        raise experiments.ExperimentError("ERROR: no such thing in the cache")

    monkeypatch.setattr(experiments, "export", fail)
    runs.segmented_control(key="both").set_value("pca").run()
    page_html(runs)
    assert "DVC has no answer: ERROR: no such thing in the cache" in runs.info[-1].value


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_commit_or_an_experiment_is_noticed(runs, root, monkeypatch):
    import experiments

    git(root, "init")
    git(root, "commit", "--allow-empty", "-m", "first")
    runs.run()
    monkeypatch.setattr(experiments, "parameters", lambda *_: [])
    monkeypatch.setattr(experiments, "figures", lambda *_: [])
    git(root, "commit", "--allow-empty", "-m", "second")
    runs.run()
    assert "Parameters and figures are those of HEAD" in runs.info[0].value
    monkeypatch.setattr(experiments, "revisions", lambda _: ["HEAD", "wider", "wider-still"])
    git(root, "update-ref", "refs/exps/00/00/wider-still", "HEAD")
    assert runs.run().selectbox(key="revision").options == ["HEAD", "wider", "wider-still"]


def test_without_git_its_state_is_empty(root, monkeypatch):
    monkeypatch.syspath_prepend(APP)
    import experiments

    assert experiments.state(root) == ""
    monkeypatch.setenv("PATH", str(root))
    assert experiments.state(root) == ""


def test_the_revision_stays_chosen_and_is_in_the_link(runs, root, monkeypatch):
    import experiments

    runs.selectbox(key="revision").set_value("wider").run()
    assert runs.query_params["revision"] == "wider"
    show(runs, "sample.py")
    assert show(runs, "runs.py").selectbox(key="revision").value == "wider"
    assert open_page(monkeypatch, root, "runs.py", revision="wider").selectbox(key="revision").value == "wider"
    monkeypatch.setattr(experiments, "revisions", lambda _: ["HEAD"])
    monkeypatch.setattr(experiments, "state", lambda _: "another commit")
    page_html(runs.run())
    assert runs.selectbox(key="revision").value == "HEAD"


def test_the_demo_has_no_other_runs(root, tmp_path_factory, monkeypatch):
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(root, project / "demo")
    runs = open_page(monkeypatch, project, "runs.py")
    page_html(runs)
    assert not runs.selectbox
    assert "The demo is not in git" in runs.info[0].value


def test_an_export_that_cannot_be_opened_here_is_said_to_be_so(runs, export, tmp_path, monkeypatch):
    import experiments

    folder = export(tmp_path / "older", "vae", "vae")
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 1}))
    monkeypatch.setattr(experiments, "export", lambda *_: nullcontext(folder))
    runs.segmented_control(key="both").set_value("vae").run()
    assert runs.info[-1].value == (
        "The export of HEAD cannot be opened here: manifest.json has schema_version 1, this version reads 2."
    )
