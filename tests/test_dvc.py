"""What `dvc repro` runs after which change: on the digits, with two small models, in a folder of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.dvc_command import lay_out
from tests.processes import ENVIRONMENT
from tests.small_params import VAE_PARAMS, small_params

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PARAMS = small_params(
    models={
        "pca": {"kind": "pca", "latent_dim": 2},
        "vae": {
            **VAE_PARAMS,
            "latent_dim": 2,
            "network": {"type": "mlp", "hidden": [8]},
            "epochs": 2,
            "batch_size": 128,
            "learning_rate": 0.002,
        },
    },
)
ALL = {"download", "classifier", "export_classifier", "reference", "report"} | {
    f"{stage}@{model}" for stage in ("train", "export", "evaluate") for model in PARAMS["models"]
}
VAE = {"train@vae", "export@vae", "evaluate@vae", "report"}


class Workspace:
    """The project's copy, and what DVC does in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def dvc(self, *arguments: str) -> str:
        """Run DVC, which must succeed."""
        process = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    def repro(self) -> set[str]:
        """The stages that `dvc repro` ran."""
        return set(re.findall(r"^Running stage '(.*)':", self.dvc("repro"), re.MULTILINE))

    def changed(self) -> set[str]:
        """The stages that have changed themselves; what depends on them may follow."""
        return set(json.loads(self.dvc("status", "--json")))

    def write_params(self, text: str = "", **values: Any) -> None:
        """Write params.yaml anew, with changed values at `a__b__c`."""
        tree = json.loads(json.dumps(PARAMS))
        for path, value in values.items():
            section = tree
            *parents, last = path.split("__")
            for key in parents:
                section = section[key]
            section[last] = value
        (self.folder / "params.yaml").write_text(json.dumps(tree, indent=2) + text)

    def results(self) -> dict[str, bytes]:
        """All that the stages have written."""
        paths = [
            path
            for name in ("data", "models", "metrics", "details", "plots", "report")
            for path in (self.folder / name).rglob("*")
        ]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which everything has run once."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        lay_out(folder)
    found = Workspace(folder)
    found.write_params()
    assert found.repro() == ALL
    return found


def test_a_second_run_runs_nothing(workspace):
    assert workspace.changed() == set()
    assert workspace.repro() == set()


def test_every_output_is_there(workspace):
    results = workspace.results()
    for model in PARAMS["models"]:
        for name in ("model.pt", "onnx/encoder.onnx", "onnx/decoder.onnx", "onnx/latents.npz", "onnx/manifest.json"):
            assert f"models/{model}/{name}" in results
        assert f"details/{model}.json" in results
        for name in ("loss.csv", "reconstructions.png", "samples.png", "latent_map.png"):
            assert f"plots/{model}/{name}" in results
    assert "models/classifier/onnx/classifier.onnx" in results
    assert {"report/README.md", "report/claims.png"} <= results.keys()
    metrics = json.loads(workspace.dvc("metrics", "show", "--json"))
    assert set(metrics[""]["data"]) == {f"metrics/{name}.json" for name in (*PARAMS["models"], "real")}


def test_a_comment_runs_nothing(workspace):
    workspace.write_params("\n# more to come\n")
    assert workspace.changed() == set()


def test_a_models_parameter_runs_its_stages_and_the_report_and_reverting_it_none(workspace):
    before = workspace.results()
    workspace.write_params(models__vae__beta=4.0)
    assert workspace.changed() == {"train@vae", "report"}
    assert workspace.repro() == VAE
    after = workspace.results()
    changed = {path for path in before if after[path] != before[path]}
    assert {"models/vae/model.pt", "plots/vae/loss.csv", "metrics/vae.json", "report/README.md"} <= changed
    assert all("/vae" in path or path.startswith("report/") for path in changed)
    assert after.keys() == before.keys()

    workspace.write_params()
    assert workspace.repro() == {"report"}  # DVC's run cache leaves out stages with plain outputs that git keeps
    assert workspace.results() == before
    assert workspace.changed() == set()


def test_the_pictures_of_evaluation_run_evaluation_alone(workspace):
    before = workspace.results()
    path = workspace.folder / "autoencoder" / "gallery.py"
    source = path.read_text()
    path.write_text(source.replace("WALK_FRAMES = 11", "WALK_FRAMES = 9"))
    assert workspace.repro() == {"evaluate@pca", "evaluate@vae"}
    changed = {name for name, content in workspace.results().items() if before[name] != content}
    assert changed == {"plots/pca/interpolations.png", "plots/vae/interpolations.png"}
    path.write_text(source)
    assert workspace.repro() == set()
    assert workspace.results() == before


def test_another_mirror_downloads_again_and_trains_nothing(workspace):
    workspace.write_params(data__mirrors__mnist=["http://localhost:1/"])
    assert workspace.repro() == {"download"}
    workspace.write_params()
    assert workspace.repro() == set()
    assert workspace.changed() == set()


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("autoencoder/models.py", ALL - {"download", "classifier", "export_classifier", "report"}),
        ("autoencoder/exported.py", set()),  # the viewer's
    ],
)
def test_an_edit_changes_the_stages_that_import_the_module(workspace, file, stages):
    path = workspace.folder / file
    source = path.read_text()
    path.write_text(source + "\n# edited\n")
    try:
        assert workspace.changed() == stages
    finally:
        path.write_text(source)
