"""A GPU that is not there: tensors that say they are on cuda:0, while a CPU computes.

What fails on a real one fails here too: work on tensors of both devices, numpy on a GPU's tensor, reading a value
while a CUDA graph is captured. A captured graph replays the operations that it saw, on the tensors that it saw.
Gradients are made up: torch's own backward pass wants a real device.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

aten = torch.ops.aten
GPU = torch.device("cuda", 0)
MAY_MIX = {aten.copy_.default, aten.index.Tensor, aten.index_put_.default}  # onto a GPU's tensor, from the CPU's
READS = {aten._local_scalar_dense.default}


class GPUTensor(Tensor):
    """A tensor of the CPU's that says it is on the GPU."""

    content: Tensor

    @staticmethod
    def __new__(cls, content: Tensor) -> "GPUTensor":
        tensor = Tensor._make_wrapper_subclass(
            cls, content.shape, content.stride(), content.storage_offset(), dtype=content.dtype, device=GPU
        )
        tensor.content = content
        return tensor

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def backward(self, *_: Any, **__: Any) -> None:
        """A gradient for every leaf, of its own value and the loss."""
        nodes, seen = [self.grad_fn], set()
        while nodes:
            node = nodes.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            nodes += [after for after, _ in node.next_functions]
            if isinstance(leaf := getattr(node, "variable", None), GPUTensor):
                with torch.no_grad():
                    leaf.grad = (leaf + 1e-2) * self.detach() * 1e-3

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):  # type: ignore[override]
        raise AssertionError(f"{function} outside of `pretended_gpu`")


class Graph:
    """A CUDA graph: the operations between the begin and the end of its capture."""

    def __init__(self) -> None:
        self.operations: list[Callable[[], None]] = []

    def replay(self) -> None:
        """Do it all again, into the same tensors."""
        for operation in self.operations:
            operation()


class Device(TorchDispatchMode):
    """Every operation of torch's, whichever device it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.capturing: Graph | None = None

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        ours = {id(tensor.content): tensor for tensor in tensors if isinstance(tensor, GPUTensor)}
        mixed = ours and any(tensor.ndim for tensor in tensors if not isinstance(tensor, GPUTensor))
        if mixed and not (function in MAY_MIX and isinstance(args[0], GPUTensor)):
            raise RuntimeError(f"Expected all tensors to be on the same device, but {function} found cuda:0 and cpu")
        device = kwargs.get("device")
        on_gpu = bool(ours) if device is None else device.type == "cuda"
        if device is not None:
            kwargs["device"] = torch.device("cpu")
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False  # it takes a driver
        if self.capturing and (function in READS or (ours and not on_gpu)):
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing: {function}")

        def compute() -> Any:
            return on_cpu(function, *tree_map_only(GPUTensor, lambda tensor: tensor.content, (args, kwargs)))

        found = compute()
        if not on_gpu:
            return found
        result = tree_map_only(Tensor, lambda new: ours[id(new)] if id(new) in ours else GPUTensor(new), found)
        if self.capturing:
            self.capturing.operations.append(lambda: renew(result, compute()))
        return result

    @contextlib.contextmanager
    def graph(self, graph: Graph, **_: Any) -> Iterator[None]:
        """In the place of `torch.cuda.graph`."""
        self.capturing = graph
        try:
            yield
        finally:
            self.capturing = None


def on_cpu(function: Any, args: Any, kwargs: Any) -> Any:
    """The operation; for the one that only cuDNN has, the CPU's own."""
    if function is aten.cudnn_batch_norm.default:
        return *aten.native_batch_norm(*args), torch.empty(0, dtype=torch.uint8)
    return function(*args, **kwargs)


def renew(result: Any, found: Any) -> None:
    """Put what a replay found into the tensors that the capture gave out."""
    for tensor, content in zip(tree_leaves(result), tree_leaves(found), strict=True):
        if isinstance(tensor, GPUTensor):
            tensor.content = content


class CPUGenerator(torch.Generator):
    """A generator that is the CPU's, whatever device it is asked for."""

    def __new__(cls, device: Any = None) -> "CPUGenerator":  # noqa: ARG004
        return super().__new__(cls, "cpu")  # type: ignore[call-arg]


@contextlib.contextmanager
def pretended_gpu() -> Iterator[None]:
    """torch finds one GPU."""
    device = Device()
    stream = mock.MagicMock()
    cuda: dict[str, Any] = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "set_device": lambda device: None,  # noqa: ARG005
        "get_device_name": lambda device: "pretended",  # noqa: ARG005
        "Stream": stream,
        "current_stream": stream,
        "stream": stream,
        "is_current_stream_capturing": lambda: device.capturing is not None,
        "CUDAGraph": Graph,
        "graph": device.graph,
    }
    torch._C._ensureCUDADeviceGuardSet()
    before = torch._C._only_lift_cpu_tensors(), torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch._C._set_only_lift_cpu_tensors(True)
    overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with mock.patch.multiple(torch.cuda, **cuda), mock.patch.object(torch, "Generator", CPUGenerator), device:
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwrite)
        torch._C._set_only_lift_cpu_tensors(before[0])
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before[1:]
        torch.use_deterministic_algorithms(False)
