import numpy as np
import onnx
import pytest
import torch

from autoencoder.classifier import build_classifier
from autoencoder.classifier_export import classifier_parity, export_classifier
from autoencoder.inference import open_session
from autoencoder.onnx_export import ExportParams, ParityError

OPSET = ExportParams(opset=20)


@pytest.fixture(scope="module")
def classifier():
    return build_classifier().eval()


@pytest.fixture(scope="module")
def graph(classifier) -> bytes:
    return export_classifier(classifier, OPSET, {"role": "classifier", "threshold": "0.9"})


def images(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_graph_gives_torchs_probabilities_at_any_batch_size(classifier, graph, count):
    found = open_session(graph, device="cpu").run({"image": images(count).numpy()})["probability"]
    with torch.no_grad():
        expected = classifier(images(count)).softmax(1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_exporting_again_gives_the_same_bytes(classifier, graph):
    assert export_classifier(classifier, OPSET, {"role": "classifier", "threshold": "0.9"}) == graph
    metadata = {item.key: item.value for item in onnx.load_from_string(graph).metadata_props}
    assert metadata == {"role": "classifier", "threshold": "0.9"}


def test_parity_notices_other_weights(classifier, graph):
    (difference,) = classifier_parity(classifier, graph, images(20)).values()
    assert 0 <= difference < 1e-5
    other = build_classifier().eval()
    with torch.no_grad():
        other.head.bias[0] += 0.1
    with pytest.raises(ParityError, match=r"^probability differs from torch"):
        classifier_parity(other, graph, images(20))
