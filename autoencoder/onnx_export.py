"""From a network to a self-contained ONNX graph whose bytes depend on the network alone, compared with torch.

The exporter writes absolute paths and stack traces of the exporting machine into every node; they are stripped, so
that two exports are equal byte for byte and leak nothing.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import torch
from jaxtyping import Float
from onnx.utils import Extractor
from pydantic import Field
from torch import Tensor, nn
from torch.export import Dim

from autoencoder.config import Section
from autoencoder.errors import ForeseenError
from autoencoder.files import sha256, write_atomically, write_json
from autoencoder.inference import first_line, open_session

EXAMPLE_BATCH = 2  # with 1 the exporter would make the batch a constant
PARITY_BATCHES = (1, 2, 512)
COMPUTED_AT_ONCE = 1000  # rows, by torch
ATOL = 1e-5
BOUNDED = {"reconstruction", "probability"}  # in [0, 1]: no relative tolerance
LATENT_RTOL = 1e-4  # latents have no fixed scale: ATOL counts in their standard deviations, where those are above 1


class ParityError(ForeseenError):
    """onnxruntime does not compute what torch computes."""


class ExportParams(Section):
    """The section `export` of params.yaml."""

    opset: Annotated[int, Field(ge=18, le=23)]


def write_export(
    folder: Path, about: Mapping[str, Any], contents: Mapping[str, bytes], parity: Mapping[str, float | int]
) -> None:
    """Write the files of an export and, last, its manifest: where that lies, they all do.

    Args:
        folder: where to.
        about: what the manifest says of the whole.
        contents: the files by name; without its suffix, a name is the file's part in the export.
        parity: how the graphs were compared with torch, and how far apart they are; to three digits.
    """
    files = {
        name: {"role": Path(name).stem, "sha256": sha256(content), "bytes": len(content)}
        | (describe_graph(content) if name.endswith(".onnx") else {})
        for name, content in contents.items()
    }
    rounded = {name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in parity.items()}
    for name, content in contents.items():
        write_atomically(folder / name, content)
    write_json(folder / "manifest.json", {**about, "files": files, "parity": rounded})


def describe_graph(graph: bytes) -> dict[str, dict[str, list[int | str]]]:
    """Names and shapes of a graph's inputs and outputs; a symbolic size is its name."""
    proto = onnx.load_from_string(graph)
    return {"inputs": _shapes(proto.graph.input), "outputs": _shapes(proto.graph.output)}


def _shapes(values: Iterable[onnx.ValueInfoProto]) -> dict[str, list[int | str]]:
    return {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim] for value in values
    }


def export_graph(
    graph: nn.Module, examples: Mapping[str, Tensor], outputs: Sequence[str], params: ExportParams
) -> onnx.ModelProto:
    """A module as ONNX, the batch size left open; its inputs are the examples, by name. Not yet `finished`."""
    batch = Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own use of what torch deprecates
        program = torch.onnx.export(
            graph.eval().cpu(),
            tuple(examples.values()),
            dynamo=True,
            verbose=False,
            external_data=False,  # one file: a second would break under DVC's linked caches
            opset_version=params.opset,
            input_names=list(examples),
            output_names=outputs,
            dynamic_shapes=tuple({0: batch} for _ in examples),
        )
    assert program is not None
    return program.model_proto


def part_of(proto: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
    """What lies in a graph between these inputs and outputs, as a graph of its own. Not yet `finished`."""
    return Extractor(proto).extract_model(list(inputs), list(outputs))


def finished(proto: onnx.ModelProto, metadata: Mapping[str, str]) -> bytes:
    """The graph as one self-contained file, with this metadata and nothing of the exporting process.

    Raises:
        ValueError: the exporter fixed the batch size.
    """
    _strip(proto)
    for name in sorted(metadata):
        proto.metadata_props.add(key=name, value=metadata[name])
    onnx.checker.check_model(proto, full_check=True)
    shapes = _shapes([*proto.graph.input, *proto.graph.output])
    for name, shape in shapes.items():
        if shape[0] != "batch":
            raise ValueError(f"the exporter fixed the batch size of {name} at {shape[0]}; expected a symbolic one")
    return proto.SerializeToString(deterministic=True)


def _strip(proto: onnx.ModelProto) -> None:
    """Remove what depends on the exporting process: traces with paths, inferred shapes, doc strings, versions."""
    proto.producer_version = ""
    for item in [proto.graph, *proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    proto.ClearField("metadata_props")
    proto.graph.ClearField("value_info")


@torch.no_grad()
def in_parts(network: Callable[[Tensor], tuple[Tensor, ...]], value: Tensor) -> tuple[Tensor, ...]:
    """All outputs of a network for many rows, of which few are in memory on their way."""
    parts = [network(part) for part in value.split(COMPUTED_AT_ONCE)]
    return tuple(torch.cat(outputs) for outputs in zip(*parts, strict=True))


def differences(graph: bytes, input_name: str, value: Tensor, expected: Mapping[str, Tensor]) -> dict[str, float]:
    """The largest absolute difference of every output between what onnxruntime computes and what is expected.

    Also run at batch sizes 1, 2 and 512, where a silently fixed axis would show.

    Raises:
        ParityError: a difference is above its tolerance, or a batch size is refused.
    """
    allowed = {name: tolerance(name, output.numpy()) for name, output in expected.items()}
    rows = torch.arange(max(len(value), sum(PARITY_BATCHES))) % len(value)  # few rows are used several times
    session = open_session(graph, device="cpu")
    found = dict.fromkeys(expected, 0.0)
    for batch in rows.split(_parity_batches(len(rows))):
        try:
            outputs = session.run({input_name: value[batch].numpy()})
        except Exception as error:  # onnxruntime's errors derive from Exception alone
            raise ParityError(f"the graph cannot be run on a batch of {len(batch)}: {first_line(error)}") from None
        for name, output in outputs.items():
            difference = np.abs(output - expected[name][batch].numpy())
            if not np.all(difference <= allowed[name][batch.numpy()]):
                limit = f"{allowed[name].min():.3g}"
                raise ParityError(f"{name} differs from torch by up to {difference.max():.2g}; tolerance {limit}")
            found[name] = max(found[name], float(difference.max()))
    return found


def tolerance(name: str, reference: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """How far an output may be from each value of a reference: ATOL, of latents in units of their spread."""
    if name in BOUNDED:
        return np.full_like(reference, ATOL)
    return ATOL * max(1.0, float(reference.std())) + LATENT_RTOL * np.abs(reference)


def _parity_batches(count: int) -> list[int]:
    """Sizes that cover `count` images, at least `sum(PARITY_BATCHES)`: each of those, then the largest again."""
    largest = PARITY_BATCHES[-1]
    repeats, rest = divmod(count - sum(PARITY_BATCHES), largest)
    return [*PARITY_BATCHES, *[largest] * repeats, *([rest] if rest else [])]
