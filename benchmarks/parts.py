"""Running the parts of a benchmark and keeping their results in `benchmarks/results/`."""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autoencoder.files import write_json

RESULTS = Path("benchmarks/results")
DIGITS = 4  # significant ones in the results file: more would be noise


def run_parts(
    name: str,
    description: str | None,
    environment: Mapping[str, Any],
    parts: Mapping[str, Callable[[], Any]],
    summary: Callable[[Mapping[str, Any]], str] | None = None,
) -> None:
    """Run the parts that the command line names, all by default; print each and write `<name>.json` after it.

    A `summary` of all results is printed at the end. Results of other parts stay where they were measured in the same
    environment. A part that fails does not cost the others' results; the exit code says so.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(parts))
    wanted = parser.parse_args().parts or list(parts)
    if unknown := [part for part in wanted if part not in parts]:
        sys.exit(f"error: no part called {', '.join(unknown)}; expected {', '.join(parts)}")
    print(", ".join(f"{key} {value}" for key, value in environment.items()), flush=True)
    path, failed = RESULTS / f"{name}.json", []
    stored = json.loads(path.read_text()) if path.exists() else {}
    same = stored.get("environment") == dict(environment)
    results = stored if same else {"environment": dict(environment)}
    if stored and not same:
        print(f"{path} was measured in another environment: it is replaced, in full (git keeps what was committed)")
    for part in wanted:
        print(f"{part}:", flush=True)
        started = time.perf_counter()
        try:
            found = rounded(parts[part]())
            write_json(path, results | {part: found})  # refuses what is no number
        except Exception:  # whatever it was, the next part may work
            traceback.print_exc()
            failed.append(part)
            continue
        results[part] = found
        print(f"  {json.dumps(found)}\n  took {time.perf_counter() - started:.0f} s", flush=True)
    if summary:
        print(summary(results))
    print(f"written to {path}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    sys.exit(bool(failed))


def rounded(value: Any) -> Any:
    """The same structure with every float at `DIGITS` significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
