"""Write the report: all models side by side, and what their figures say of the article's two claims."""

import argparse
import os
from pathlib import Path

from pydantic import TypeAdapter

from autoencoder.catalog import BY_NAME
from autoencoder.claims_chart import claims_chart
from autoencoder.comparison import REAL, as_rows
from autoencoder.errors import UnusableFileError
from autoencoder.files import write_atomically
from autoencoder.report import page
from autoencoder.sheets import encode_sheet
from stages.parameters import load_parameters
from stages.process import run

MODELS: TypeAdapter[dict[str, dict[str, object]]] = TypeAdapter(dict[str, dict[str, object]])
DETAILS: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("details", "pictures", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    models = load_parameters().read("models", MODELS.validate_python)

    names = [*models, REAL]  # those of params.yaml alone: a removed model's files stay in the folder
    rows = as_rows({name: read_details(args.details / f"{name}.json") for name in names})
    pictures = Path(os.path.relpath(args.pictures, args.output)).as_posix()
    try:
        chart, text = claims_chart(rows, models), page(rows, models, pictures)
    except KeyError as missing:
        if missing.args[0] not in BY_NAME:
            raise
        raise UnusableFileError(f"{args.details} lacks {missing}") from None
    write_atomically(args.output / "claims.png", encode_sheet(chart))
    write_atomically(args.output / "README.md", text.encode())
    print(f"report: {args.output / 'README.md'} compares {', '.join(models)}")


def read_details(path: Path) -> dict[str, object]:
    """What was measured of one model.

    Raises:
        UnusableFileError: the file is missing or damaged.
    """
    try:
        return DETAILS.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UnusableFileError(f"{path} cannot be read ({reason})") from None


if __name__ == "__main__":
    run(main)
