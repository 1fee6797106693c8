"""params.yaml: every kind of mistake ends in one message that names file, key, value and what was expected."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from autoencoder.config import ParameterError, Parameters
from autoencoder.data import SplitParams
from autoencoder.recipe import TRAIN_PARAMS
from scripts.check_params import mistakes
from scripts.dvc_command import commands
from stages.parameters import MODEL_NAME, load_parameters

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "params.yaml"  # stays as it is when the project's own is tuned
TEXT = EXAMPLE.read_text()
TREE = YAML(typ="safe").load(TEXT)
MODELS = TEXT[TEXT.index("\nmodels:") + 1 : TEXT.index("density:")]
COMMANDS = commands(ROOT / "dvc.yaml", TREE)
SECTIONS = "classifier, data, density, evaluate, export, latent_space, models, seed"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a params.yaml and the dvc.yaml."""
    for path in (EXAMPLE, ROOT / "dvc.yaml"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(old: str, new: str) -> None:
    """Change the first such text of params.yaml."""
    assert old in TEXT
    Path("params.yaml").write_text(TEXT.replace(old, new, 1))


def leaves(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value that is neither a mapping nor a list, with the keys that lead to it."""
    if not isinstance(tree, dict | list):
        yield path, tree
        return
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from leaves(value, (*path, key))


LEAVES = dict(leaves(TREE))


def test_the_project_s_own_file_is_right(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert list(mistakes()) == []


def test_a_right_file_is_read_as_it_is():
    assert list(mistakes()) == []
    assert load_parameters().tree == TREE


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # keys
        ("    kl_warmup: 0.5", "    kl_warmpu: 0.5", "models.vae.kl_warmpu is not a known parameter (value: 0.5); "
         "expected kl_warmup"),
        ("evaluate:\n", "evalaute:\n", "evalaute is not a known parameter (value: a section); expected evaluate"),
        ("seed: 0", "seed: 0\nextra: 3", "extra is not a known parameter (value: 3); "
         f"expected {SECTIONS}"),
        ("  validation_size:", "  validaton_size:", "data.validaton_size is not a known parameter (value: 10000); "
         "expected validation_size"),
        ("    latent_dim: 20\n", "    latent_dim: 20\n    beta: 2.0\n", "models.pca.beta is not a known parameter "
         "(value: 2.0); expected kind, latent_dim"),
        ("hidden: [512, 512, 512]}", "hidden: [512, 512, 512], depth: 3}", "models.ae.network.depth is not a known parameter "
         "(value: 3); expected type, hidden"),
        ("    grad_clip: 5.0\n", "", "models.ae.grad_clip is missing"),
        ("    kind: pca\n", "", "models.pca.kind is missing"),
        ("{type: mlp, hidden: [512, 512, 512]}", "{hidden: [512]}", "models.ae.network.type is missing"),
        # names
        ("  pca:", "  a-b:", "models.a-b: expected a name of a-z, 0-9 and _, no digit first"),
        ("  pca:", "  Ae:", "models.Ae: expected a name of a-z, 0-9 and _, no digit first"),
        ("  pca:", "  a.b:", "models.a.b: expected a name of a-z, 0-9 and _, no digit first"),
        ("  pca:", "  é:", "models.é: expected a name of a-z, 0-9 and _, no digit first"),
        ("  pca:", "  12:", "models.12: expected a name of a-z, 0-9 and _, no digit first"),
        ("  pca:", "  true:", "models.True: expected a name of a-z, 0-9 and _, no digit first, in quotes"),
        ("  pca:", "  3d:", "models.3d: expected a name of a-z, 0-9 and _, no digit first"),
        ("  pca:", "  real:", "models.real: this name is reserved; choose another"),
        ("  pca:", "  classifier:", "models.classifier: this name is reserved; choose another"),
        # sections
        (MODELS, "models: {}\n", "models = {}: expected at least one model"),
        (MODELS, "", "models = None: expected at least one model"),
        (MODELS, "models: [1]\n", "models = [1]: expected a section, `key: value` on lines of its own"),
        ("export:\n  opset: 20", "export: 3", "export = 3: expected a section, `key: value` on lines of its own"),
        ("export:\n  opset: 20", "", "export is missing; the top level has: seed, data, classifier, models, density, evaluate, "
         "latent_space"),
        # values
        ("kind: pca", "kind: pcb", "models.pca.kind = 'pcb': expected one of 'pca', 'ae_article', 'vae_article', 'ae', "
         "'vae'"),
        ("type: mlp", "type: mpl", "models.ae.network.type = 'mpl': expected one of 'mlp', 'conv'"),
        ("dataset: mnist", "dataset: mnits", "data.dataset = 'mnits': expected 'mnist', 'fashion_mnist', 'kmnist' or "
         "'digits'"),
        ("opset: 20", "opset: twenty", "export.opset = 'twenty': expected a valid integer"),
        ("opset: 20", "opset: 20.0", "export.opset = 20.0: expected a valid integer"),
        ("opset: 20", "opset: '20'", "export.opset = '20': expected a valid integer"),
        ("opset: 20", "opset: on", "export.opset = 'on': expected a valid integer"),
        ("opset: 20", "opset: true", "export.opset = True: expected a valid integer"),
        ("opset: 20", "opset:", "export.opset = None: expected a valid integer"),
        ("opset: 20", "opset: 99", "export.opset = 99: expected less than or equal to 23"),
        ("seed: 0", "seed: -1", "seed = -1: expected greater than or equal to 0"),
        ("beta: 1.0", "beta: 1e-3x", "models.vae.beta = '1e-3x': expected a valid number"),
        ("beta: 1.0", "beta: -1.0", "models.vae.beta = -1.0: expected greater than or equal to 0"),
        ("beta: 1.0", "beta: .nan", "models.vae.beta = nan: expected a finite number"),
        ("beta: 1.0", "beta: .inf", "models.vae.beta = inf: expected a finite number"),
        ("kl_warmup: 0.5", "kl_warmup: 1.1", "models.vae.kl_warmup = 1.1: expected less than or equal to 1"),
        ("learning_rate: 1.0e-3", "learning_rate: 0", "models.ae_article.learning_rate = 0: expected greater than 0"),
        ("[512, 512, 512]", "[512, many]", "models.ae.network.hidden.1 = 'many': expected a valid integer"),
        ("[512, 512, 512]", "[]", "models.ae.network.hidden = []: expected at least 1 of them"),
        ("[512, 512, 512]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "models.ae.network.hidden: expected at most 8 of them, found 9"),
        ("- https://", "- gopher://", "data.mirrors.mnist.0 = 'gopher://ossci-datasets.s3.amazonaws.com/mnist/': "
         "expected a URL that starts with http://, https:// or file://"),
        ("- https://ossci-datasets.s3.amazonaws.com", "- https://[::1", "data.mirrors.mnist.0 = 'https://[::1/mnist/': "
         "expected a URL that starts with http://, https:// or file://"),
    ],
)  # fmt: skip
def test_a_mistake_has_one_message(old, new, message):
    edit(old, new)
    assert list(mistakes()) == [f"params.yaml: {message}"]


def test_mistakes_in_several_places_have_a_line_each():
    edit("seed: 0", "seed: zero")
    text = Path("params.yaml").read_text().replace("dataset: mnist", "dataset: nist").replace("opset: 20", "opset: 2")
    Path("params.yaml").write_text(text.replace("validation_size: 10000", "validation_size: 0"))
    wrong = ["seed", "data.dataset", "data.validation_size", "export.opset"]
    assert [line.split(":")[1].strip().split(" ")[0] for line in mistakes()] == wrong


def test_keys_of_another_kind_are_not_proposed():
    edit("    kind: vae\n", "    kind: ae\n")
    found = "\n".join(mistakes()).splitlines()
    assert [line.split(" ")[1] for line in found] == [
        f"models.vae.{name}" for name in ("beta", "kl_warmup", "importance_samples")
    ]
    for line in found:
        assert not {"beta", "kl_warmup", "importance_samples"} & set(line.rpartition("expected ")[2].split(", "))


def test_misspelt_keys_and_names_have_a_line_each():
    edit("  pca:", "  PCA:")
    text = Path("params.yaml").read_text().replace("evaluate:\n", "evalaute:\n").replace("  dataset:", "  datset:")
    Path("params.yaml").write_text(text)
    assert "\n".join(mistakes()).splitlines() == [
        "params.yaml: data.datset is not a known parameter (value: 'mnist'); expected dataset",
        "params.yaml: evalaute is not a known parameter (value: a section); expected evaluate",
        "params.yaml: models.PCA: expected a name of a-z, 0-9 and _, no digit first",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.replace("  opset: 20", "  opset: 20\n  opset: 19"), r'params.yaml, line \d+: not valid YAML: .*"opset"'),
        (TEXT.replace("  ae_2d:", "  vae_2d:"), r'params.yaml, line \d+: not valid YAML: .*"vae_2d"'),
        (TEXT.replace("  opset: 20", "\topset: 20"), r"params.yaml, line \d+: not valid YAML: found character '\\t'"),
        (TEXT.replace("opset: 20", "opset: [20"), r"params.yaml, line \d+: not valid YAML: expected ',' or '\]'"),
        (TEXT.replace("kind: pca", "kind: 2024-02-30"), r"params.yaml: not valid YAML: day is out of range"),
        (TEXT.replace("kind: pca", "kind: !!bool foo"), r"params.yaml: not valid YAML: "),
        (TEXT.replace("seed: 0", f"seed: {'[' * 500}"), r"params.yaml: not valid YAML: maximum recursion depth"),
        (TEXT + "# \N{DIGIT ONE}\0", r"params.yaml: not valid YAML: unacceptable character"),
        ("", r"params.yaml: expected a mapping of sections, found NoneType"),
        ("- 1\n", r"params.yaml: expected a mapping of sections, found list"),
    ],
    ids=[
        "duplicate key",
        "duplicate model",
        "tab",
        "bracket",
        "no date",
        "no bool",
        "depth",
        "control character",
        "empty",
        "list",
    ],
)
def test_what_is_not_yaml_is_said_to_be_so(content, message):
    Path("params.yaml").write_text(content)
    (found,) = mistakes()
    assert "\n" not in found
    with pytest.raises(ParameterError, match=f"^{message}"):
        load_parameters()


def test_bytes_that_are_no_text_are_said_to_be_so():
    Path("params.yaml").write_bytes(TEXT.encode() + b"# \xff\n")
    (found,) = mistakes()
    assert found.startswith("params.yaml: not valid YAML: ")
    assert "\n" not in found


def test_a_missing_file_is_named():
    Path("params.yaml").unlink()
    assert list(mistakes()) == ["params.yaml: no such file; run this from the project's root"]


@pytest.mark.parametrize("number", ["1e-3", "1.0e-3", "0.001", ".001"])
def test_all_ways_to_write_a_number_are_numbers(number):
    edit("learning_rate: 1.0e-3", f"learning_rate: {number}")
    assert list(mistakes()) == []
    assert load_parameters().tree["models"]["ae_article"]["learning_rate"] == 0.001


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_no_value_may_have_another_type(path):
    value = LEAVES[path]
    tree = json.loads(json.dumps(TREE))
    section = tree
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = 7 if isinstance(value, str) else "seven"
    Path("params.yaml").write_text(json.dumps(tree))
    (found,) = mistakes()
    assert found.startswith(f"params.yaml: {'.'.join(map(str, path))} = {section[path[-1]]!r}: expected ")


@pytest.mark.parametrize("path", [path for path in LEAVES if isinstance(path[-1], str)], ids=".".join)
def test_no_value_may_be_left_out(path):
    tree = json.loads(json.dumps(TREE))
    section = tree
    for key in path[:-1]:
        section = section[key]
    del section[path[-1]]
    Path("params.yaml").write_text(json.dumps(tree))
    (found,) = mistakes()
    assert found.startswith(f"params.yaml: {'.'.join(path)} is missing")


def test_sections_cannot_be_changed():
    params = load_parameters().read("data", SplitParams.model_validate)
    with pytest.raises(ValueError, match="frozen"):
        params.validation_size = 3  # type: ignore[misc]


def test_an_absent_key_is_missed_with_what_there_is_instead():
    parameters = Parameters({"models": {"pca": {}}}, Path("p.yaml"))
    with pytest.raises(ParameterError, match=r"^p\.yaml: models\.vae is missing; models has: pca$"):
        parameters.read("models.vae", dict)


@pytest.mark.parametrize(("command", "prefix"), [(COMMANDS["download"], "error: "), (["scripts.check_params"], "")])
def test_a_process_ends_with_the_message_alone(command, prefix):
    edit("seed: 0", "seed: 0\nextra: 3")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run([sys.executable, "-m", *command], env=environment, capture_output=True, text=True)
    message = f"params.yaml: extra is not a known parameter (value: 3); expected {SECTIONS}\n"
    assert (process.returncode, process.stdout, process.stderr) == (1, "", prefix + message)


@pytest.mark.parametrize(
    ("stage", "old", "new", "message"),
    [
        ("train@vae", "kl_warmup: 0.5", "kl_warmpu: 0.5", "models.vae.kl_warmpu is not a known parameter"),
        ("train@vae", "seed: 0", "seed: -1", "seed = -1: expected greater than or equal to 0"),
        ("train@vae", "  vae:\n", "  vee:\n", "models.vae is missing; models has: pca, "),
        ("export@vae", "opset: 20", "opset: 2", "export.opset = 2: expected greater than or equal to 18"),
        (
            "export@vae",
            "components: 10",
            "components: 0",
            "density.components = 0: expected greater than or equal to 1",
        ),
        (
            "export@vae",
            "components: 10",
            "components: 20001",
            "density.codes = 20000: expected at least as many as density.components, 20001",
        ),
        (
            "reference",
            "coverage_neighbors: 5",
            "coverage_neighbors: 3000",
            "latent_space.coverage_neighbors = 3000: expected fewer than latent_space.coverage_samples, 3000",
        ),
        (
            "reference",
            "samples: 10000 #",
            "samples: 5 #",
            "latent_space.coverage_neighbors = 5: expected fewer than latent_space.samples, 5",
        ),
        ("evaluate@vae", "step: 0.1", "step: 0.0", "latent_space.step = 0.0: expected greater than or equal to 0.001"),
        ("evaluate@vae", "step: 0.1", "step: 1e300", "latent_space.step = 1e+300: expected less than or equal to 10"),
        ("reference", "  walks:", "  walk:", "latent_space.walk is not a known parameter"),
        (
            "classifier",
            "  epochs: 4",
            "  epochs: 0",
            "classifier.epochs = 0: expected greater than or equal to 1",
        ),
        (
            "evaluate@vae",
            "  neighbors: 5",
            "  neighbors: 0",
            "evaluate.neighbors = 0: expected greater than or equal to 1",
        ),
    ],
)
def test_a_stage_finds_the_mistakes_in_what_it_reads(stage, old, new, message):
    edit(old, new)
    module, *arguments = COMMANDS[stage]
    with pytest.raises(ParameterError, match=rf"^params\.yaml: {re.escape(message)}"):
        importlib.import_module(module).main(arguments)


@pytest.mark.parametrize(
    ("own", "known"),
    [
        ("cmd: 'true'\n    params:\n      - mine.yaml: [a]", False),
        ("cmd: 'true'\n    params:\n      - params.yaml: [mine]", True),
        ("foreach: [1]\n    do:\n      cmd: 'true'\n      params: [mine]", True),
        ("params:", False),
        ("", False),
    ],
    ids=["another file's", "this file's", "foreach", "no parameters yet", "nothing yet"],
)
def test_a_stage_of_ones_own_is_understood(own, known):
    dag = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(dag.replace("stages:\n", f"stages:\n  own:\n    {own}\n", 1))
    assert load_parameters().tree["seed"] == 0
    edit("seed: 0", "seed: 0\nmine: 3")
    if known:
        assert load_parameters().tree["mine"] == 3
    else:
        with pytest.raises(ParameterError, match="mine is not a known parameter"):
            load_parameters()


@pytest.mark.parametrize("dag", ["stages:\n", "stagez: {}\n"])
def test_without_stages_there_are_no_parameters(dag):
    Path("dvc.yaml").write_text(dag)
    with pytest.raises(ParameterError, match=r"^dvc\.yaml: no stage reads a parameter"):
        load_parameters()


README_MODELS = re.findall(r"'\+models\.(\w+)=(\{.*\})'", (ROOT / "README.md").read_text())


@pytest.mark.parametrize(("name", "params"), README_MODELS, ids=[name for name, _ in README_MODELS])
def test_models_that_the_readme_adds_can_be_trained(name, params):
    assert MODEL_NAME.fullmatch(name)
    TRAIN_PARAMS.validate_python(YAML(typ="safe").load(params))


def test_the_readme_adds_models():
    assert {name for name, _ in README_MODELS} == {"ae_small"}
