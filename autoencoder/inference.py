"""ONNX graphs run by onnxruntime: numpy in, numpy out, without torch; CUDA where it works, and why where it does not."""

import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Literal

import numpy as np
import onnxruntime as ort

from autoencoder.driver import why_no_gpu, why_no_work
from autoencoder.errors import ForeseenError

SchemaVersion = Literal[2]
SCHEMA_VERSION: SchemaVersion = 2  # of graphs, manifest and side-car: `export` writes it, the viewer refuses others
BATCH_SIZE = 1000  # images per run: bounds the memory that a convolution's activations take
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
# TensorFloat-32 is on by default and wrong by 1e-3; the exhaustive search for algorithms costs seconds per batch size.
CUDA_OPTIONS = {"use_tf32": 0, "cudnn_conv_algo_search": "HEURISTIC"}
# onnxruntime's words for it
GPU_FAILURE = re.compile("(CUDA|CUDNN(_FE)?|CUBLAS) failure|CUDA error |Failed to allocate memory")


class DeviceError(ForeseenError):
    """The device that was asked for by name cannot be used."""


@dataclass
class Session:
    """An open graph, the provider that really serves it, and why that is not CUDA ("" where it is)."""

    session: ort.InferenceSession
    provider: str
    reason: str
    spare: Callable[[], ort.InferenceSession] | None = None  # opens the graph on the CPU, should CUDA fail one day
    lock: Lock = field(default_factory=Lock)

    @property
    def node_providers(self) -> set[str]:
        """Where the nodes of the graph run: not on `provider` alone where that lacks a kernel for one of them."""
        return {part.ep_name for part in self.session.get_provider_graph_assignment_info()}

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs by name, for any number of rows; may be called from several threads at once.

        A GPU that fails while it serves (its memory taken by a training, its driver replaced) gives way to the CPU.

        Raises:
            DeviceError: it fails, and was asked for by name.
        """
        session = self.session
        try:
            return _run(session, inputs)
        except Exception as error:  # onnxruntime's errors derive from Exception alone
            on_cpu = self.spare is None and self.provider == CPU
            if on_cpu or not GPU_FAILURE.search(str(error)):
                raise
            reason = first_line(error)
        if self.spare is None:
            raise DeviceError(f"CUDA was asked for, but {reason}")
        with self.lock:
            if self.session is session:  # else another thread has been here
                self.session, self.provider, self.reason = self.spare(), CPU, reason
        return _run(self.session, inputs)


def open_session(model: bytes, device: str = "auto") -> Session:
    """Open a graph on the device asked for, without a line on stdout or stderr.

    Args:
        model: the bytes of an ONNX file.
        device: `cpu`; `cuda` or `cuda:1`, where anything but that device is an error; `auto` or nothing, CUDA where it
            works.

    Raises:
        DeviceError: a CUDA device was asked for by name and does not work, or `device` is none of the above.
        Exception: onnxruntime cannot read the model (its errors share no other base class).
    """
    device = device.strip().lower() or "auto"
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise DeviceError(f"device = {device!r}: expected auto, cpu, cuda or cuda:<number>")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # best for these small networks, and leaves cores to other viewers
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; below that onnxruntime also prints it
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    index = int(device.partition(":")[2] or 0)
    on_cpu = partial(ort.InferenceSession, model, options, providers=[CPU])
    reason = "CPU asked for" if device == "cpu" else why_not_cuda(index)
    if reason is None:
        try:
            return Session(_open_on_cuda(model, options, index), CUDA, "", on_cpu if device == "auto" else None)
        except Exception as error:  # onnxruntime's errors derive from Exception alone
            reason = first_line(error)
    if device.startswith("cuda"):
        raise DeviceError(f"{device} was asked for, but {reason}")
    return Session(on_cpu(), CPU, reason)


def why_not_cuda(index: int = 0) -> str | None:
    """None where CUDA can serve, as far as one can tell without opening a graph, otherwise what is missing.

    Asks the driver itself: `get_available_providers` tells what was compiled in, not what this machine can do.
    """
    if CUDA not in ort.get_available_providers():
        return "this onnxruntime is built without CUDA"
    return why_no_gpu(ort.cuda_version, "onnxruntime", index)


def _open_on_cuda(model: bytes, options: ort.SessionOptions, index: int) -> ort.InferenceSession:
    """A session that has run once on the device: a missing cuDNN or a full memory shows only then."""
    ort.set_default_logger_severity(4)  # the CUDA provider reports to the default logger, whatever the session says
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ort.preload_dlls()
        providers = [(CUDA, {"device_id": index, **CUDA_OPTIONS}), CPU]
        session = ort.InferenceSession(model, options, providers=providers, enable_fallback=0)
        session.disable_fallback()
        if session.get_providers()[0] != CUDA:
            raise RuntimeError(
                why_no_work(index)
                or f"the libraries of CUDA {ort.cuda_version} do not load, which a torch built for it brings"
            )
        session.run(None, zeros(session))
    finally:
        ort.set_default_logger_severity(2)
    return session


def _run(session: ort.InferenceSession, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs by name, some rows at a time."""
    names = [output.name for output in session.get_outputs()]
    rows = len(next(iter(inputs.values())))
    starts = range(0, max(rows, 1), BATCH_SIZE)
    parts = [
        session.run(names, {name: value[start : start + BATCH_SIZE] for name, value in inputs.items()})
        for start in starts
    ]
    return {name: np.concatenate(values) for name, *values in zip(names, *parts, strict=True)}


def zeros(session: ort.InferenceSession) -> dict[str, np.ndarray]:
    """Two rows of zeros for every input: one row would not show an axis that is fixed by mistake."""
    return {
        node.name: np.zeros([size if isinstance(size, int) else 2 for size in node.shape], np.float32)
        for node in session.get_inputs()
    }


def first_line(error: Exception) -> str:
    """The one line of an onnxruntime error that a person can use."""
    text = str(error)
    found = re.search(rf"({GPU_FAILURE.pattern})[^;\n]*", text) or re.search(r"\S[^\n]*", text)
    return found[0].strip()[:160] if found else type(error).__name__
