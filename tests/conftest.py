"""Fixtures that several test files share."""

import hashlib
import importlib
import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

from autoencoder.comparison import as_rows
from autoencoder.images import encode_png
from tests.processes import GIT

Export = Callable[..., Path]


def pytest_configure() -> None:
    """Heed Ctrl-C: `nohup make test &` starts with it ignored, and so would every stage that a test interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In several processes, files with slow tests begin: none is to be left alone at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """A stage that ran in this process on the CPU hides the GPUs from it: the next test sees them again. Git is anyone's."""
    with mock.patch.dict(os.environ, GIT):
        yield


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits as uint8 [1797, 28, 28] and their labels: three pixels for one, two of margin."""
    bunch = load_digits()
    return enlarge(np.rint(bunch.images * (255 / 16)).astype(np.uint8)), bunch.target.astype(np.uint8)


@pytest.fixture(scope="session")
def export(digits: tuple[np.ndarray, np.ndarray]) -> Export:
    """`export(root, name, kind, latent_dim)` writes a model's exported files: the PCA of the digits as tiny graphs."""
    images, labels = digits
    train, test = images[300:].reshape(-1, 784) / 255.0, images[:300].reshape(-1, 784) / 255.0
    mean = train.mean(axis=0)
    # every pixel is there nine times: the principal axes of the 8x8 originals are those of the large images
    small = train.reshape(-1, 28, 28)[:, 2:26:3, 2:26:3].reshape(-1, 64)
    axes = np.linalg.eigh(np.cov(small.T))[1].T[::-1].reshape(-1, 8, 8)
    directions = enlarge(axes / 3).reshape(-1, 784)

    def write(root: Path, name: str, kind: str = "ae", latent_dim: int = 8, **manifest: object) -> Path:
        basis = directions[:latent_dim]
        codes = {"test_mean": (test - mean) @ basis.T, "train_mean": (train - mean) @ basis.T}
        arrays = {
            "test_mean": codes["test_mean"].astype(np.float32),
            "test_labels": labels[:300],
            "train_mean": codes["train_mean"].mean(axis=0),
            "train_covariance": np.atleast_2d(np.cov(codes["train_mean"].T)),
            "mixture_weights": np.ones(1),
            "mixture_means": codes["train_mean"].mean(axis=0)[None],
            "mixture_covariances": np.cov(codes["train_mean"].T).reshape(1, latent_dim, latent_dim),
        }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        described = {"schema_version": "2", "model": name, "latent_dim": str(latent_dim)}
        contents = {
            "encoder": ("encoder.onnx", encoder_graph(mean, basis, kind.startswith("vae"), described)),
            "decoder": ("decoder.onnx", decoder_graph(mean, basis, described)),
            "latents": ("latents.npz", buffer.getvalue()),
        }
        folder = root / "models" / name / "onnx"
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for role, (file, content) in contents.items():
            (folder / file).write_bytes(content)
            files[file] = {"role": role, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        tree = {
            "schema_version": 2,
            "model": name,
            "kind": kind,
            "latent_dim": latent_dim,
            "dataset": "mnist",
            "data_sha256": "0" * 64,
            "params": {"kind": kind, "latent_dim": latent_dim},
            "files": files,
            "parity": {"images": 300, "reconstruction_max_abs": 1.2e-6},
        }
        (folder / "manifest.json").write_text(json.dumps(tree | manifest))
        return folder

    return write


@pytest.fixture(scope="session")
def last_run() -> dict[str, dict[str, list[float | int]]]:
    """What the run whose results are in git has measured, as one row for every model and one for real images."""
    paths = (Path(__file__).parents[1] / "details").glob("*.json")
    return as_rows({path.stem: json.loads(path.read_text()) for path in paths})


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny project in which every stage of every model has run; tests that change it copy it."""
    from tests import tiny_project  # not above: it loads torch and every stage, which few tests need

    folder = tmp_path_factory.mktemp("finished")
    tiny_project.lay_out(folder)
    tiny_project.run_all(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny project in which nothing has run; the current folder."""
    from tests import tiny_project

    tiny_project.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEVICE", "cpu")
    return tmp_path


@pytest.fixture
def experiments(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """app/experiments.py, imported as the viewer does."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "app")
    return importlib.import_module("experiments")


@pytest.fixture(scope="session")
def export_reader(digits: tuple[np.ndarray, np.ndarray]) -> Export:
    """`export_reader(root)` writes a classifier's export: the nearest mean of the labels, as a tiny graph."""
    images, labels = digits[0][300:].reshape(-1, 784) / 255.0, digits[1][300:]
    means = np.stack([images[labels == label].mean(axis=0) for label in range(10)])

    def write(root: Path, threshold: float = 0.9) -> Path:
        content = reader_graph(means, {"schema_version": "2", "role": "classifier", "model": "classifier"})
        folder = root / "models" / "classifier" / "onnx"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "classifier.onnx").write_bytes(content)
        entry = {"role": "classifier", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        tree = {
            "schema_version": 2,
            "model": "classifier",
            "dataset": "mnist",
            "data_sha256": "0" * 64,
            "classifier_sha256": "1" * 64,
            "threshold": threshold,
            "files": {"classifier.onnx": entry},
        }
        (folder / "manifest.json").write_text(json.dumps(tree))
        return folder

    return write


@pytest.fixture(scope="session")
def lay_out_workspace(
    digits: tuple[np.ndarray, np.ndarray], export: Export, export_reader: Export
) -> Callable[[Path], Path]:
    """`lay_out_workspace(root)` leaves there what a finished run does: two models, curves, epoch pictures, the data."""
    images, labels = digits
    models = {"pca": ("pca", 8, 1), "vae": ("vae", 8, 3)}

    def write(root: Path) -> Path:
        (root / "data").mkdir()
        np.savez(
            root / "data" / "mnist.npz",
            train_images=images[300:],
            train_labels=labels[300:],
            test_images=images[:300],
            test_labels=labels[:300],
        )
        lines = ["models:"]
        for name, (kind, latent_dim, epochs) in models.items():
            export(root, name, kind, latent_dim)
            lines.append(f"  {name}: {{kind: {kind}, latent_dim: {latent_dim}, epochs: {epochs}}}")
            write_history(root, name, epochs)
        export_reader(root)
        (root / "params.yaml").write_text("\n".join(lines) + "\n")
        return root

    return write


@pytest.fixture
def root(tmp_path: Path, lay_out_workspace: Callable[[Path], Path]) -> Path:
    """A workspace that a test may change."""
    return lay_out_workspace(tmp_path)


def enlarge(images: np.ndarray) -> np.ndarray:
    """8x8 to 28x28: three pixels for one, a margin of two."""
    return np.pad(images.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))


def write_history(root: Path, name: str, epochs: int) -> None:
    """A curve and a picture per epoch, as training writes them."""
    rows = ["epoch,split,loss,reconstruction,kl_divergence"]
    pictures = root / "models" / name / "epochs"
    pictures.mkdir(parents=True, exist_ok=True)
    for epoch in range(1, epochs + 1):
        rows += [
            f"{epoch},{split},{100 / epoch:.6g},{90 / epoch:.6g},{10 / epoch:.6g}" for split in ("train", "validation")
        ]
        picture = np.full((56, 280), 60 * epoch % 256, np.uint8)
        (pictures / f"epoch_{epoch:04d}.png").write_bytes(encode_png(picture))
    curve = root / "plots" / name / "loss.csv"
    curve.parent.mkdir(parents=True, exist_ok=True)
    curve.write_text("\n".join(rows) + "\n")


def encoder_graph(mean: np.ndarray, basis: np.ndarray, variational: bool, metadata: dict[str, str]) -> bytes:
    """Image [batch, 1, 28, 28] -> mean, and for a VAE a constant log_var of -2."""
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Sub", ["flat", "center"], ["centered"]),
        helper.make_node("MatMul", ["centered", "basis"], ["mean"]),
    ]
    constants = {"center": mean, "basis": basis.T}
    outputs: dict[str, list[str | int]] = {"mean": ["batch", len(basis)]}
    if variational:
        nodes += [
            helper.make_node("Mul", ["mean", "zero"], ["none"]),
            helper.make_node("Sub", ["none", "two"], ["log_var"]),
        ]
        constants |= {"zero": np.array(0.0), "two": np.array(2.0)}
        outputs["log_var"] = ["batch", len(basis)]
    return graph(nodes, constants, {"image": ["batch", 1, 28, 28]}, outputs, metadata | {"role": "encoder"})


def decoder_graph(mean: np.ndarray, basis: np.ndarray, metadata: dict[str, str]) -> bytes:
    """Latent -> reconstruction, clipped to [0, 1]."""
    nodes = [
        helper.make_node("MatMul", ["latent", "basis"], ["offset"]),
        helper.make_node("Add", ["offset", "center"], ["sum"]),
        helper.make_node("Clip", ["sum", "zero", "one"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "shape"], ["reconstruction"]),
    ]
    constants = {"basis": basis, "center": mean, "zero": np.array(0.0), "one": np.array(1.0)}
    latent: dict[str, list[str | int]] = {"latent": ["batch", len(basis)]}
    outputs: dict[str, list[str | int]] = {"reconstruction": ["batch", 1, 28, 28]}
    return graph(nodes, constants, latent, outputs, metadata | {"role": "decoder"})


def reader_graph(means: np.ndarray, metadata: dict[str, str]) -> bytes:
    """Image [batch, 1, 28, 28] -> probability of each class: a softmax over the distances to the means."""
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node("Sub", ["product", "squares"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probability"]),
    ]
    constants = {"weights": means.T, "squares": np.square(means).sum(axis=1) / 2}
    image: dict[str, list[str | int]] = {"image": ["batch", 1, 28, 28]}
    return graph(nodes, constants, image, {"probability": ["batch", 10]}, metadata)


def graph(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    inputs: dict[str, list[str | int]],
    outputs: dict[str, list[str | int]],
    metadata: dict[str, str],
) -> bytes:
    """A model file from its parts; floats become float32."""
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    initializers.append(numpy_helper.from_array(np.array([-1, 1, 28, 28]), "shape"))

    def values(shapes: dict[str, list[str | int]]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

    used = {name for node in nodes for name in node.input}
    kept = [item for item in initializers if item.name in used]
    proto = helper.make_model(
        helper.make_graph(nodes, "test", values(inputs), values(outputs), kept),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    helper.set_model_props(proto, metadata)
    return proto.SerializeToString(deterministic=True)
