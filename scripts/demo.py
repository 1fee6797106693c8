"""`make demo`: the same DAG on scikit-learn's handwritten digits, in a folder of its own, without any download."""

import io
import sys
from pathlib import Path

from ruamel.yaml import YAML

from autoencoder.files import write_atomically
from scripts.check_params import refused
from scripts.dvc_command import dvc, lay_out

DEMO = Path("demo")
VALIDATION_SIZE = 240
EPOCHS, BATCH_SIZE = 40, 32  # 1,193 training images: an epoch is short, so there are more of them and smaller steps


def main() -> int:
    """DVC's exit code, or 1 where params.yaml, from which the demo takes its own, has mistakes."""
    if refused():
        return 1
    print(f"the demo: scikit-learn's digits (1,797 images of 8x8, enlarged), in {DEMO}/", flush=True)
    lay_out(DEMO)
    adapt_params(DEMO / "params.yaml")
    if code := dvc("repro", root=DEMO):
        return code
    print(flush=True)
    dvc("metrics", "show", root=DEMO)
    print("\nThese are the demo's digits, not MNIST. `make app` shows these models where there are no others.")
    return 0


def adapt_params(path: Path) -> None:
    """Put the demo's data set and sizes into a copy of the workspace's parameters."""
    yaml = YAML()
    params = yaml.load(path)
    params["data"]["dataset"] = "digits"
    params["data"]["validation_size"] = VALIDATION_SIZE
    for section in (params["classifier"], *params["models"].values()):
        if "epochs" in section:
            section["epochs"], section["batch_size"] = EPOCHS, BATCH_SIZE
    adapted = io.BytesIO()
    yaml.dump(params, adapted)
    write_atomically(path, adapted.getvalue())


if __name__ == "__main__":
    sys.exit(main())
