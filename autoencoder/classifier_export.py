"""The digit classifier as an ONNX graph, for those who judge pictures without torch."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from autoencoder.classifier import Classifier
from autoencoder.onnx_export import EXAMPLE_BATCH, ExportParams, differences, export_graph, finished, in_parts

OUTPUT = "probability"


class ClassifierGraph(nn.Module):
    """image -> probability of every digit."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch 10"]:
        """Probabilities; each row sums to 1."""
        return self.classifier(image).softmax(1)


def export_classifier(classifier: Classifier, params: ExportParams, metadata: Mapping[str, str]) -> bytes:
    """The classifier: input `image` [batch, 1, 28, 28] in [0, 1]; output `probability` [batch, 10].

    Raises:
        ValueError: see `finished`.
    """
    example = torch.rand(EXAMPLE_BATCH, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return finished(export_graph(ClassifierGraph(classifier), {"image": example}, [OUTPUT], params), metadata)


def classifier_parity(classifier: Classifier, graph: bytes, image: Float[Tensor, "n 1 28 28"]) -> dict[str, float]:
    """The largest absolute difference between onnxruntime and torch over all these images.

    Raises:
        ParityError: see `differences`.
    """
    network = ClassifierGraph(classifier)
    (expected,) = in_parts(lambda part: (network(part),), image)
    return differences(graph, "image", image, {OUTPUT: expected})
