"""Write the report: all models side by side, and what their figures say of the article's two claims."""

import argparse
import json
from pathlib import Path

from pydantic import TypeAdapter

from autoencoder.comparison import REAL, as_rows
from autoencoder.files import write_atomically
from autoencoder.report import claims_chart, page
from autoencoder.sheets import encode_sheet
from stages.parameters import load_parameters
from stages.process import run

MODELS: TypeAdapter[dict[str, dict[str, object]]] = TypeAdapter(dict[str, dict[str, object]])


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("details", "pictures", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    models = load_parameters().read("models", MODELS.validate_python)

    names = [*models, REAL]  # those of params.yaml alone: a removed model's files stay in the folder
    rows = as_rows({name: json.loads((args.details / f"{name}.json").read_text()) for name in names})
    write_atomically(args.output / "claims.png", encode_sheet(claims_chart(rows, models)))
    write_atomically(args.output / "README.md", page(rows, models, f"../{args.pictures}").encode())
    print(f"report: {args.output / 'README.md'} compares {', '.join(models)}")


if __name__ == "__main__":
    run(main)
