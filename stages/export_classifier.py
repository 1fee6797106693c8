"""Export the digit classifier as ONNX, checked against torch: a viewer reads digits with it as the evaluation does."""

import argparse
import time
from pathlib import Path

import onnxscript  # noqa: F401  # with torch._dynamo: what the exporter imports at its first use, which is start-up
import torch._dynamo  # noqa: F401

from autoencoder.classifier import load_judge
from autoencoder.classifier_export import classifier_parity, export_classifier
from autoencoder.data import load_test_split
from autoencoder.files import sha256
from autoencoder.images import to_unit_interval
from autoencoder.inference import SCHEMA_VERSION
from autoencoder.onnx_export import ATOL, ExportParams, write_export
from stages.device import use_cpu
from stages.parameters import load_parameters
from stages.process import run, write_timings


def main(argv: list[str] | None = None) -> None:
    """Read argv and params.yaml, export, verify, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "classifier", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(argv)
    params = load_parameters().read("export", ExportParams.model_validate)

    cpu = use_cpu()  # exporting is the same everywhere, parity figures included
    started = time.perf_counter()
    judge, digest = load_judge(args.classifier, cpu)
    test = load_test_split(args.data, cpu)
    about = {
        "schema_version": SCHEMA_VERSION,
        "model": "classifier",
        "dataset": args.data.stem,
        "data_sha256": sha256(args.data.read_bytes()),
        "classifier_sha256": digest,
        "threshold": judge.threshold,  # the probability above which the evaluation accepts a picture as a digit
    }
    metadata = {key: str(value) for key, value in about.items()} | {"role": "classifier", "image_range": "0 1"}
    graph = export_classifier(judge.classifier, params, metadata)
    (difference,) = classifier_parity(judge.classifier, graph, to_unit_interval(test.images)).values()
    parity = {"images": len(test), "atol": ATOL, "probability_max_abs": difference}
    write_export(args.output, about, {"classifier.onnx": graph}, parity)
    write_timings("export_classifier", device="cpu", seconds=time.perf_counter() - started)
    print(f"classifier: exported; onnxruntime equals torch within {difference:.1e} on {len(test):,} images")


if __name__ == "__main__":
    run(main)
