"""params.yaml as the stages read it: loaded strictly, and without keys that no stage of dvc.yaml reads."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autoencoder.config import ParameterError, Parameters

PARAMS, DAG = Path("params.yaml"), Path("dvc.yaml")
MODEL_NAME = re.compile(r"[a-z_][a-z0-9_]*")
SECTION = "expected a section, `key: value` on lines of its own"
RESERVED_NAMES = {"real", "classifier"}


def load_parameters() -> Parameters:
    """Read params.yaml and reject what no stage would ever see: misspelt sections, keys and model names.

    Raises:
        ParameterError: see `Parameters.load`; or an unknown key; or a model name that paths and `-S` cannot carry.
    """
    parameters = Parameters.load(PARAMS)
    known = set(_declared_keys(_section(Parameters.load(DAG).tree.get("stages"))))
    if not known:
        raise ParameterError(f"{DAG}: no stage reads a parameter; expected `params` under `stages`")
    mistakes = [*_unknown(parameters.tree, known), *_unfit_names(parameters.tree.get("models"))]
    if mistakes:
        raise ParameterError("\n".join(f"{PARAMS}: {mistake}" for mistake in mistakes))
    return parameters


def _section(value: Any) -> dict[str, Any]:
    """The mapping, or an empty one: what is wrong with dvc.yaml, DVC says."""
    return value if isinstance(value, dict) else {}


def _declared_keys(stages: Mapping[str, Any]) -> Iterator[str]:
    """The dotted keys under `params:` in dvc.yaml; `*` stands for an interpolated part."""
    for stage in map(_section, stages.values()):
        for entry in _section(stage.get("do", stage)).get("params") or []:  # `do` holds the stage of a `foreach`
            named = _section(entry)  # {a file's path: [keys]}; other files are their own business
            for key in (named.get("params.yaml") or []) if named else [entry]:
                yield re.sub(r"\$\{[^}]*\}", "*", str(key))


def _unknown(tree: Mapping[str, Any], known: set[str], prefix: str = "") -> Iterator[str]:
    """Keys that neither are declared nor lead to a declared key; below a declared key its own schema decides."""
    for part, value in tree.items():
        key = f"{prefix}{part}"
        below = any(name.startswith(f"{key}.") for name in known)
        if {key, f"{prefix}*"} & known:
            continue
        if isinstance(value, dict) and below:
            yield from _unknown(value, known, f"{key}.")
        elif below:
            yield f"{key} = {value!r}: {SECTION}"
        else:
            value = "a section" if isinstance(value, dict) else repr(value)
            declared = {name.removeprefix(prefix).split(".")[0] for name in known if name.startswith(prefix)}
            expected = ", ".join(sorted(declared - tree.keys()) or sorted(declared))
            yield f"{key} is not a known parameter (value: {value}); expected {expected}"


def _unfit_names(models: Any) -> Iterator[str]:
    if not models:
        yield f"models = {models!r}: expected at least one model"
    elif not isinstance(models, dict):
        yield f"models = {models!r}: {SECTION}"
    else:
        for name in models:
            if not isinstance(name, str) or not MODEL_NAME.fullmatch(name):
                quotes = ", in quotes" if name is None or isinstance(name, bool) else ""
                yield f"models.{name}: expected a name of a-z, 0-9 and _, no digit first{quotes}"
            elif name in RESERVED_NAMES:
                yield f"models.{name}: this name is reserved; choose another"
