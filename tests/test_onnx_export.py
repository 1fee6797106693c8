"""onnx_export.py: what is allowed between onnxruntime and torch (the rest: test_model_export.py, test_classifier_export.py)."""

import numpy as np
import pytest
import torch
from torch import nn

from autoencoder.onnx_export import ExportParams, ParityError, differences, export_graph, finished, tolerance

OPSET = ExportParams(opset=20)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_the_tolerance_of_latents_grows_with_their_scale(scale):
    identity = nn.Linear(4, 4, bias=False)
    with torch.no_grad():
        identity.weight.copy_(torch.eye(4))
    value = torch.randn(1100, 4, generator=torch.Generator().manual_seed(0)) * scale
    graph = finished(export_graph(identity, {"latent": torch.zeros(2, 4)}, ["mean"], OPSET), {})
    value[0, 0] = 0.0  # where a relative tolerance allows nothing; in the first batch of several
    expected = value.clone()
    expected[0, 0] = 5e-6 * scale
    assert differences(graph, "latent", value, {"mean": expected})["mean"] == pytest.approx(5e-6 * scale)
    expected[0, 0] = 5e-5 * scale
    with pytest.raises(ParityError, match="mean differs from torch"):
        differences(graph, "latent", value, {"mean": expected})


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("mean", [0.1, -0.1], 1e-5 + 1e-5),  # 1e-5, and a ten thousandth of the value
        ("mean", [3.0, -3.0], 3e-5 + 3e-4),  # 1e-5 in standard deviations, where those are above 1
        ("reconstruction", [0.9, 0.9], 1e-5),
        ("probability", [0.9, 0.9], 1e-5),
    ],
)
def test_the_tolerance_of_latents_and_of_what_lies_between_0_and_1(name, values, allowed):
    assert tolerance(name, np.array(values, np.float32)) == pytest.approx([allowed] * 2, rel=1e-4)
