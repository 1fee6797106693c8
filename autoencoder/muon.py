"""Muon, the optimizer of weight matrices: every update is orthogonalised (Jordan et al. 2024).

torch's own turns the learning rate into a number, which a CUDA graph would freeze, and orthogonalises in bfloat16,
which most CPUs only emulate. This one reads the rate where it is stored and multiplies as the rest of the training.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

MOMENTUM = 0.9  # Jordan's 0.95 is hardly better in ten epochs of these nets, far worse in one or two (docs/speed.md)
# Chosen by Jordan for the steepest slope at 0: singular values end between .7 and 1.2 instead of at 1, which is enough.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
ADAMW_RMS = 0.2  # usual root mean square of AdamW's updates; with it one learning rate serves both (Liu et al. 2025)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, scaled to the size of AdamW's updates; weight decay as in AdamW."""

    def __init__(self, params: Iterable[Tensor], lr: float | Tensor, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient; all at once, since on a GPU starting kernels is most of the work."""
        assert closure is None
        for group in self.param_groups:
            matrices = [matrix for matrix in group["params"] if matrix.grad is not None]
            gradients = [matrix.grad for matrix in matrices]
            momenta = [self._momentum(matrix) for matrix in matrices]
            torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
            updates = orthogonalised(torch._foreach_lerp(gradients, momenta, MOMENTUM))
            torch._foreach_mul_(updates, [ADAMW_RMS * math.sqrt(max(matrix.shape)) for matrix in matrices])
            torch._foreach_mul_(updates, group["lr"])
            torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_sub_(matrices, updates)

    def _momentum(self, matrix: Tensor) -> Tensor:
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        return state["momentum"]


def orthogonalised(matrices: Sequence[Float[Tensor, "_ _"]]) -> list[Float[Tensor, "_ _"]]:
    """Each matrix, orthogonalised in one batch with those of its shape and with transposes of these."""
    wide = [matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T for matrix in matrices]
    found: dict[int, Tensor] = {}
    for shape in dict.fromkeys(matrix.shape for matrix in wide):
        alike = [index for index, matrix in enumerate(wide) if matrix.shape == shape]
        found |= zip(alike, orthogonalise(torch.stack([wide[index] for index in alike])), strict=True)
    return [found[index] if wide[index] is matrix else found[index].T for index, matrix in enumerate(matrices)]


def orthogonalise(matrices: Float[Tensor, "count rows columns"]) -> Float[Tensor, "count rows columns"]:
    """Matrices no taller than wide with their singular values brought near 1, by a quintic Newton-Schulz iteration."""
    a, b, c = NEWTON_SCHULZ
    matrices = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = matrices @ matrices.mT
        matrices = torch.baddbmm(matrices, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), matrices, beta=a)
    return matrices
