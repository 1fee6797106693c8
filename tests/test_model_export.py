"""model_export.py: onnxruntime computes what torch computes at any batch size; equal models are equal bytes."""

import copy
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx.helper import make_opsetid

from autoencoder.checkpoints import save_checkpoint
from autoencoder.inference import open_session
from autoencoder.model_export import computed, export_model, parity
from autoencoder.models import AE, MODEL_PARAMS, PCA, VAE, build_model
from autoencoder.onnx_export import ExportParams, ParityError, describe_graph
from tests.small_params import KINDS

ROOT = Path(__file__).parents[1]
OPSET = ExportParams(opset=20)
METADATA = {"model": "vae", "schema_version": "1", "image_range": "0 1"}
Model = PCA | AE | VAE


def build(kind: str, seed: int = 0) -> Model:
    model = build_model(MODEL_PARAMS.validate_python(KINDS[kind]), seed)
    if isinstance(model, PCA):
        model.fit(images(60))
    return model.eval()


def images(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(count))


@pytest.fixture(scope="module")
def exports() -> dict[str, tuple[Model, bytes, bytes]]:
    """Every kind of model with its encoder and decoder."""
    models = {kind: build(kind) for kind in KINDS}
    return {kind: (model, *export_model(model, OPSET, METADATA)) for kind, model in models.items()}


@pytest.fixture(params=KINDS)
def exported(request: pytest.FixtureRequest, exports: dict[str, Any]) -> tuple[Model, bytes, bytes]:
    """One kind of model with its encoder and decoder."""
    return exports[request.param]


def test_names_and_shapes(exported):
    model, encoder, decoder = exported
    latent: list[int | str] = ["batch", model.latent_dim]
    image: list[int | str] = ["batch", 1, 28, 28]
    outputs = {"mean": latent, "log_var": latent} if isinstance(model, VAE) else {"mean": latent}
    assert describe_graph(encoder) == {"inputs": {"image": image}, "outputs": outputs}
    assert describe_graph(decoder) == {"inputs": {"latent": latent}, "outputs": {"reconstruction": image}}


@pytest.mark.parametrize("batch", [1, 2, 7, 512])
def test_onnxruntime_equals_torch(exported, batch):
    model, encoder, decoder = exported
    image = images(batch)
    with torch.no_grad():
        latent = model.encode(image)
        expected = {"mean": latent}
        if isinstance(model, VAE):
            expected["log_var"] = model.posterior(image).log_var
        reconstruction = model.decode(latent)
    found = open_session(encoder, device="cpu").run({"image": image.numpy()})
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    decoded = open_session(decoder, device="cpu").run({"latent": latent.numpy()})["reconstruction"]
    np.testing.assert_allclose(decoded, reconstruction, rtol=0, atol=1e-5)
    assert decoded.shape == (batch, 1, 28, 28)
    assert 0 <= decoded.min() <= decoded.max() <= 1


def test_graphs_carry_their_metadata_opset_and_nothing_random(exported):
    _, encoder, decoder = exported
    for role, content in (("encoder", encoder), ("decoder", decoder)):
        proto = onnx.load_from_string(content)
        assert {item.key: item.value for item in proto.metadata_props} == {**METADATA, "role": role}
        assert list(proto.opset_import) == [make_opsetid("", 20)]
        operators = {node.op_type for node in proto.graph.node}
        assert not [name for name in operators if name.startswith(("Random", "Bernoulli", "Multinomial", "Dropout"))]


def test_graphs_are_one_file_and_say_nothing_about_this_machine(exported):
    for content in exported[1:]:
        proto = onnx.load_from_string(content)
        assert all(item.data_location == onnx.TensorProto.DEFAULT for item in proto.graph.initializer)
        for trace in (
            str(ROOT),
            str(Path.home()),
            "site-packages",
            "/lib/python",
            ".py",
            "Traceback",
            torch.__version__,
        ):
            assert trace.encode() not in content, trace


@pytest.mark.parametrize("kind", ["pca", "vae_mlp"])
def test_the_same_model_exports_to_the_same_bytes(kind, exports):
    _, encoder, decoder = exports[kind]
    again = build(kind)
    assert export_model(again, OPSET, dict(reversed(METADATA.items()))) == (encoder, decoder)


@pytest.mark.slow
def test_another_process_in_another_folder_exports_the_same_bytes(exports, tmp_path):
    _, encoder, decoder = exports["vae_conv"]
    params = MODEL_PARAMS.validate_python(KINDS["vae_conv"])
    save_checkpoint(tmp_path / "model.pt", exports["vae_conv"][0], params)
    script = f"""
import hashlib, torch
from pathlib import Path
from autoencoder.checkpoints import load_checkpoint
from autoencoder.model_export import export_model
from autoencoder.onnx_export import ExportParams
model, _ = load_checkpoint(Path("model.pt"), torch.device("cpu"))
for graph in export_model(model, ExportParams(opset=20), {METADATA}):
    print(hashlib.sha256(graph).hexdigest())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == [hashlib.sha256(content).hexdigest() for content in (encoder, decoder)]
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize("opset", [18, 23])
def test_the_opset_is_the_one_asked_for(opset):
    model = build("ae_mlp")
    graph, _ = export_model(model, ExportParams(opset=opset), {})
    assert list(onnx.load_from_string(graph).opset_import) == [make_opsetid("", opset)]
    found = open_session(graph, device="cpu").run({"image": images(2).numpy()})["mean"]
    np.testing.assert_allclose(found, model.encode(images(2)).detach(), rtol=1e-4, atol=1e-5)


def compared(model, encoder: bytes, decoder: bytes, image: torch.Tensor) -> dict[str, float]:
    return parity(encoder, decoder, image, computed(model, image))


@pytest.mark.parametrize("kind", ["ae_conv", "vae_mlp"])
def test_what_torch_computes_in_parts_is_what_it_computes_at_once(kind, exports, monkeypatch):
    model = exports[kind][0]
    rows, decode = [], model.decode

    def counted(latent: torch.Tensor) -> torch.Tensor:
        rows.append(len(latent))
        return decode(latent)

    monkeypatch.setattr(model, "decode", counted)
    found = computed(model, images(2300))
    assert rows == [1000, 1000, 300]
    with torch.no_grad():
        codes = model.encode(images(2300))
        torch.testing.assert_close(found["mean"], codes)
        torch.testing.assert_close(found["reconstruction"], decode(codes))
        if isinstance(model, VAE):
            torch.testing.assert_close(found["log_var"], model.posterior(images(2300)).log_var)


@pytest.mark.parametrize("count", [3, 4, 300, 600])
def test_parity_is_small_for_what_was_exported(exported, count):
    model, encoder, decoder = exported
    differences = compared(model, encoder, decoder, images(count))
    assert differences.keys() == {"mean", "reconstruction"} | ({"log_var"} if isinstance(model, VAE) else set())
    log_var = differences.pop("log_var", 0.0)  # the article's goes down to log(1e-8), where rounding weighs more
    assert 0 <= log_var < 1e-3
    assert all(0 <= value < 1e-5 for value in differences.values())


@pytest.mark.parametrize("kind", ["ae_article", "ae_conv", "vae_mlp"])
@pytest.mark.parametrize(("half", "output"), [("encoder", "mean"), ("decoder", "reconstruction")])
def test_parity_fails_where_a_graph_has_other_weights(kind, half, output, exports):
    model, encoder, decoder = exports[kind]
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in getattr(other, half).parameters():
            parameter += 0.01
    with pytest.raises(ParityError, match=rf"^{output} differs from torch by up to .*; tolerance \S+$"):
        compared(other, encoder, decoder, images(20))


@pytest.mark.parametrize("kind", ["pca", "vae_mlp"])
def test_parity_fails_where_the_decoder_belongs_to_another_model(kind, exports):
    model, encoder, _ = exports[kind]
    with pytest.raises(ParityError, match=r"^reconstruction differs from torch"):
        compared(model, encoder, exports["ae_mlp"][2], images(20))


def test_a_variance_of_zero_is_the_articles_floor_in_the_graph_too(exports):
    model, encoder, _ = exports["vae_article"]
    found = open_session(encoder, device="cpu").run({"image": images(50).numpy()})["log_var"]
    with torch.no_grad():
        dead = model.posterior(images(50)).log_var.numpy() == np.float32(np.log(1e-8))
    assert dead.any()  # this network's ReLU gives such units at its very start
    np.testing.assert_allclose(found[dead], np.log(1e-8), rtol=1e-6)


def test_parity_fails_on_a_difference_in_the_very_last_image(exports):
    model, encoder, decoder = exports["ae_mlp"]
    image = images(530)
    compared(model, encoder, decoder, image)
    image[-1] = torch.nan
    with pytest.raises(ParityError, match="differs from torch"):
        compared(model, encoder, decoder, image)


def fixed(content: bytes, size: int) -> bytes:
    """The graph with a batch of one size alone."""
    proto = onnx.load_from_string(content)
    for value in [*proto.graph.input, *proto.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = size
    return proto.SerializeToString()


@pytest.mark.parametrize("size", [1, 2, 512])
def test_parity_fails_where_the_batch_is_fixed(size, exports):
    model, encoder, decoder = exports["ae_mlp"]
    with pytest.raises(ParityError, match=r"cannot be run on a batch of \d+: "):
        compared(model, fixed(encoder, size), decoder, images(3 + 512 + 5))


class Forgetful(torch.nn.Module):
    """A network that takes the batch for 2, as a `view(2, -1)` would."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Three sums of two images."""
        return image.reshape(2, -1)[:, :3]


def test_a_network_that_fixes_the_batch_is_not_exported():
    model = build("ae_mlp")
    assert isinstance(model, AE)
    model.encoder = Forgetful()
    with pytest.raises(Exception, match="batch"):  # torch's own error, or ours where torch lets it pass
        export_model(model, OPSET, {})
