"""Reading params.yaml: strict YAML, strict types, one clear message per mistake.

The schemas themselves live beside what they configure (`SplitParams` in data.py, `TrainParams` in recipe.py, ...),
so that a new parameter touches only the stages that read it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from autoencoder.errors import ForeseenError

T = TypeVar("T")
LARGEST = 1e30  # of the numbers that torch computes with: far from where single precision overflows
UNKNOWN = {"extra_forbidden", "invalid_key"}  # pydantic's types of problem


class ParameterError(ForeseenError):
    """A value in params.yaml that cannot be used; the message names file, key, value and what was expected."""


class Section(BaseModel):
    """A section of params.yaml: immutable, no unknown keys, no type coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Parameters:
    """The parsed params.yaml; `read` hands out typed parts of it."""

    def __init__(self, tree: Mapping[str, Any], path: Path) -> None:
        self.tree = tree
        self.path = path

    @classmethod
    def load(cls, path: Path) -> "Parameters":
        """Parse the file as DVC does (YAML 1.2, where `1e-3` is a number and `on` a string).

        Raises:
            ParameterError: the file is missing, is not YAML, or names a key twice.
        """
        try:
            tree = YAML(typ="safe", pure=True).load(path)
        except FileNotFoundError:
            raise ParameterError(f"{path}: no such file; run this from the project's root") from None
        except (YAMLError, ValueError, LookupError, RecursionError) as error:  # the last three of values, as 2024-02-30
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
            raise ParameterError(f"{path}{where}: not valid YAML: {problem}") from None
        if not isinstance(tree, dict):
            raise ParameterError(f"{path}: expected a mapping of sections, found {type(tree).__name__}")
        return cls(tree, path)

    def read(self, key: str, validate: Callable[[Any], T]) -> T:
        """The value at a dotted key, checked by pydantic.

        Args:
            key: for example `models.vae`.
            validate: a section's `model_validate`, or a type adapter's `validate_python`.

        Raises:
            ParameterError: the key is absent or its value does not fit the schema.
        """
        value: Any = self.tree
        for depth, part in enumerate(parts := key.split(".")):
            if not isinstance(value, dict) or part not in value:
                within = ".".join(parts[:depth]) or "the top level"
                known = ", ".join(map(str, value)) if isinstance(value, dict) else repr(value)
                raise ParameterError(f"{self.path}: {key} is missing; {within} has: {known}")
            value = value[part]
        try:
            return validate(value)
        except ValidationError as error:
            problems = error.errors(include_url=False)
            # a misspelt key is unknown and missing at once: one mistake, one line
            unknown = [problem["loc"] for problem in problems if problem["type"] in UNKNOWN]
            misspelt = {loc[:-1] for loc in unknown}
            absent = [problem["loc"] for problem in problems if problem["type"] == "missing"]
            lines = [
                f"{self.path}: {_explain(key, value, problem, absent, unknown)}"
                for problem in problems
                if problem["loc"] not in absent or problem["loc"][:-1] not in misspelt
            ]
            raise ParameterError("\n".join(lines)) from None


def _explain(
    key: str,
    value: Any,
    problem: Mapping[str, Any],
    absent: list[tuple[int | str, ...]],
    unknown: list[tuple[int | str, ...]],
) -> str:
    """One mistake in one line: dotted key, the value found, what was expected."""
    name, section = key, value
    for part in problem["loc"]:
        # pydantic also puts the tag of a discriminated union here, which is no key of the file
        if isinstance(value, list) or (isinstance(value, dict) and part in value):
            section, value = value, value[part]
            name = f"{name}.{part}"
    found = problem["input"]
    match problem["type"]:
        case "missing":
            return f"{name}.{problem['loc'][-1]} is missing"
        case kind if kind in UNKNOWN:
            missing = [loc[-1] for loc in absent if loc[:-1] == problem["loc"][:-1]]
            known = missing or [other for other in section if (*problem["loc"][:-1], other) not in unknown]
            return f"{name} is not a known parameter (value: {found!r}); expected {', '.join(map(str, known))}"
        case "union_tag_not_found":
            return f"{name}.{problem['ctx']['discriminator'].strip(chr(39))} is missing"
        case "union_tag_invalid":
            tag, expected = problem["ctx"]["discriminator"].strip(chr(39)), problem["ctx"]["expected_tags"]
            return f"{name}.{tag} = {found[tag]!r}: expected one of {expected}"
        case "too_short":
            return f"{name} = {found!r}: expected at least {problem['ctx']['min_length']} of them"
        case "too_long":
            return f"{name}: expected at most {problem['ctx']['max_length']} of them, found {len(found)}"
        case "model_type" | "model_attributes_type":
            return f"{name} = {found!r}: expected a section, `key: value` on lines of its own"
        case _:
            wanted = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
            return f"{name} = {found!r}: expected {wanted}"
