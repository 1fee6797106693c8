"""onnx_export.py: what is allowed between onnxruntime and torch (the rest: test_model_export.py, test_classifier_export.py)."""

import pytest
import torch
from torch import nn

from autoencoder.onnx_export import ExportParams, ParityError, differences, export_graph, finished

OPSET = ExportParams(opset=20)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_the_tolerance_of_latents_grows_with_their_scale(scale):
    identity = nn.Linear(4, 4, bias=False)
    with torch.no_grad():
        identity.weight.copy_(torch.eye(4))
    value = torch.randn(100, 4, generator=torch.Generator().manual_seed(0)) * scale
    graph = finished(export_graph(identity, {"latent": torch.zeros(2, 4)}, ["mean"], OPSET), {})
    value[0, 0] = 0.0  # where a relative tolerance allows nothing
    expected = value.clone()
    expected[0, 0] = 5e-6 * scale
    assert differences(graph, "latent", value, {"mean": expected})["mean"] == pytest.approx(5e-6 * scale)
    expected[0, 0] = 5e-5 * scale
    with pytest.raises(ParityError, match="mean differs from torch"):
        differences(graph, "latent", value, {"mean": expected})
