"""`make repro`: check params.yaml, run the pipeline, show the metrics; without a reachable mirror, run the demo."""

import sys
from pathlib import Path

from autoencoder.config import Parameters
from scripts import demo
from scripts.check_params import refused
from scripts.dvc_command import dvc, settle_git
from stages.download import UNREACHABLE_PATH

NEXT = """
What next?
  make app                      look at the models: reconstruct, sample, watch a training
  edit params.yaml, make repro  only what the change touches runs again
  . .venv/bin/activate          then, in a git clone:
    dvc metrics diff            what the last change did to the metrics
    dvc plots diff              the same for curves and pictures
    dvc exp run -S models.vae.beta=2   a try that leaves params.yaml's history alone
"""

KEPT = """
{data} is back from DVC's cache: a file or parameter that the stage `download` depends on has changed, so DVC removed
the data to download it again, and no mirror is reachable from here. Where the data is still right, go on with it:
  . .venv/bin/activate && dvc commit --force download && make repro
"""

NO_DATA = """
{line}
{name} COULD NOT BE DOWNLOADED: no mirror is reachable from here.

{message}

Meanwhile `make demo` follows: the same pipeline on scikit-learn's small digits, which need no download.
Its results are in demo/; they are NOT {name}'s. `make app` shows them, labelled as such.
{line}
"""


def main() -> int:
    """The exit code: that of DVC, but 0 where the demo stands in for data that cannot be had."""
    if refused():
        return 1
    settle_git()
    UNREACHABLE_PATH.unlink(missing_ok=True)  # of an earlier run
    dataset = Parameters.load(Path("params.yaml")).tree["data"]["dataset"]
    data = Path("data") / f"{dataset}.npz"
    code = (0 if data.exists() else dvc("repro", "download")) or dvc("repro")
    if not code:
        print()
        dvc("metrics", "show")
        print(NEXT)
        return 0
    if data.exists() or not UNREACHABLE_PATH.exists():
        return code
    if dvc("checkout", "--quiet", str(data)) == 0 and data.exists():
        print(KEPT.format(data=data), file=sys.stderr)
        return code
    print(NO_DATA.format(line="=" * 100, name=dataset.upper(), message=UNREACHABLE_PATH.read_text()), flush=True)
    return demo.main()


if __name__ == "__main__":
    sys.exit(main())
