"""dvc.yaml, params.yaml and the code agree: dependencies, parameters, paths, and who may import whom."""

import ast
import re
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS = YAML(typ="safe").load(ROOT / "params.yaml")
PACKAGES = ("autoencoder", "stages", "app", "scripts")
# What no result can depend on: a stage may import it without listing it. An edit there runs nothing again.
WITHOUT_RESULTS = {"autoencoder/errors.py", "stages/parameters.py", "stages/process.py"}


def definition(stage: str) -> dict:
    return STAGES[stage]


def module_path(module: str) -> Path | None:
    """The file of a first-party module or package."""
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@cache
def imported_names(path: Path) -> frozenset[str]:
    """Every dotted name that a file imports, wherever in it; `from a import b` gives a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def closure(path: Path, seen: set[Path] | None = None) -> set[Path]:
    """The file and every first-party file that it imports, directly or not."""
    seen = set() if seen is None else seen
    if path not in seen:
        seen.add(path)
        for name in imported_names(path):
            if name.split(".")[0] in PACKAGES and (imported := module_path(name)):
                closure(imported, seen)
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_are_the_import_closure(stage):
    needed = {path.relative_to(ROOT).as_posix() for path in closure(ROOT / "stages" / f"{stage}.py")}
    listed = [dep for dep in definition(stage)["deps"] if dep.endswith(".py")]
    assert sorted(listed) == sorted(name for name in needed - WITHOUT_RESULTS if not name.endswith("__init__.py"))


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("datasets", "download"),
        ("onnx_export", "export_classifier export"),
        ("model_export", "export"),
        ("models", "train export evaluate reference"),
        ("comparison", "report"),
        ("evaluation", "evaluate"),
        ("training", "train"),
        ("density", "export reference evaluate"),
        ("latent_space", "reference evaluate"),
        ("classifier", "classifier export_classifier reference evaluate"),
        ("config", " ".join(STAGES)),
        ("exported", ""),  # the viewer's
    ],
)
def test_an_edit_runs_no_more_stages_than_it_must(name, stages):
    found = {stage for stage in STAGES if f"autoencoder/{name}.py" in definition(stage)["deps"]}
    assert found == set(stages.split())


@pytest.mark.parametrize("name", sorted(WITHOUT_RESULTS))
def test_what_is_no_dependency_computes_nothing(name):
    used = {imported.split(".")[0] for imported in imported_names(ROOT / name)}
    assert not used & {"torch", "numpy", "sklearn", "scipy", "onnx", "onnxruntime", "matplotlib", "PIL"}
    ours = {path.relative_to(ROOT).as_posix() for path in closure(ROOT / name) if path.name != "__init__.py"}
    assert ours - WITHOUT_RESULTS <= {"autoencoder/config.py", "autoencoder/files.py"}


def test_package_files_hold_no_code_that_dependencies_would_miss():
    """They are no dependencies: nothing that a stage computes may come from them."""
    library, stages = (
        ast.parse((ROOT / package / "__init__.py").read_text()).body for package in ("autoencoder", "stages")
    )
    assert len(library) == 1  # the docstring
    docstring, *imports, refused, hook, assignment = stages  # what Ctrl-C and a full disk look like, and nothing else
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in imports)
    used = {name.split(".")[0] for name in imported_names(ROOT / "stages" / "__init__.py")}
    assert used <= sys.stdlib_module_names
    assert isinstance(refused, ast.Assign)
    assert isinstance(hook, ast.FunctionDef)
    assert ast.unparse(assignment) == f"sys.excepthook = {hook.name}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_and_ends_with_one_message(stage):
    assert definition(stage)["cmd"].startswith(f"python -m stages.{stage} ")
    source = (ROOT / "stages" / f"{stage}.py").read_text()
    assert "from stages.process import run" in source
    assert source.endswith('\n\nif __name__ == "__main__":\n    run(main)\n')


def listed_paths(stage: str) -> set[str]:
    paths = set()
    for kind in ("deps", "outs", "metrics", "plots"):
        for entry in definition(stage).get(kind, []):
            paths |= {entry} if isinstance(entry, str) else set(entry)
    return paths


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_of_a_command_is_a_dependency_or_an_output(stage):
    listed = listed_paths(stage)
    words = definition(stage)["cmd"].split()
    parts = [word for option, word in pairwise(words) if option.startswith("--")]
    if stage == "report":
        parts.remove("plots")  # it only points to the pictures there
    assert parts
    for part in parts:
        assert part in listed or any(path.startswith(f"{part}/") or part.startswith(f"{path}/") for path in listed), (
            part
        )


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_of_a_stage_exists(stage):
    for key in definition(stage).get("params", []):
        value = PARAMS
        for part in re.sub(r"\$\{item\.model\}", next(iter(PARAMS["models"])), key).split("."):
            value = value[part]


@pytest.mark.parametrize("stage", STAGES)
def test_metrics_and_plots_are_git_s_and_the_rest_dvc_s(stage):
    for kind in ("metrics", "plots"):
        for entry in definition(stage).get(kind, []):
            ((path, options),) = entry.items()
            assert options["cache"] is False, path
    outs = definition(stage).get("outs", [])
    # DVC's run cache leaves out stages with outputs that it does not keep: none but the last may have any
    assert all(isinstance(out, str) for out in outs) or stage == list(STAGES)[-1]


# Who may import whom. Left: files; right: what they must not import.
FORBIDDEN = {
    "app/*.py": {"stages", "scripts", "benchmarks", "dvc"},
    "stages/*.py": {"app", "scripts", "benchmarks", "streamlit", "onnx", "onnxruntime", "torchvision"},
    "autoencoder/*.py": {"app", "stages", "scripts", "benchmarks", "dvc", "streamlit"},
    "scripts/*.py": {"benchmarks"},
}
HEAVY = {"torch", "torchvision", "onnx", "sklearn", "scipy", "pytorch_msssim", "matplotlib"}
HOMES = {
    "onnxruntime": "autoencoder/inference.py",
    "onnx": "autoencoder/onnx_export.py",
    "ruamel": "autoencoder/config.py",
    "torchvision": "autoencoder/datasets.py",
}


def imports(path: Path, module: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in imported_names(path))


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nobody_imports_what_is_not_theirs(pattern):
    for path in ROOT.glob(pattern):
        assert [module for module in FORBIDDEN[pattern] if imports(path, module)] == [], path


@pytest.mark.parametrize("page", sorted(ROOT.glob("app/*.py")), ids=lambda path: path.stem)
def test_what_the_viewer_loads_needs_nothing_heavy(page):
    for path in closure(page):
        assert [module for module in HEAVY if imports(path, module)] == [], path


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_have_one_home(library):
    users = [path for package in ("autoencoder", "stages", "app") for path in ROOT.glob(f"{package}/**/*.py")]
    found = [path.relative_to(ROOT).as_posix() for path in users if imports(path, library)]
    assert found == [HOMES[library]]


def test_no_stage_imports_another():
    stages = {f"stages.{stage}" for stage in STAGES}
    for path in ROOT.glob("stages/*.py"):
        assert not imported_names(path) & stages, path


def test_training_and_download_never_see_what_only_the_viewer_needs():
    for stage in ("download", "train"):
        names = {path.name for path in closure(ROOT / "stages" / f"{stage}.py")}
        assert not names & {
            "exported.py",
            "inference.py",
            "priors.py",
            "gallery.py",
            "onnx_export.py",
            "model_export.py",
            "evaluation.py",
            "sheets.py",
        }
