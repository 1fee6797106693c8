"""Muon, the optimizer of weight matrices: every update is orthogonalised (Jordan et al. 2024).

torch's own turns the learning rate into a number, which a CUDA graph would freeze, and orthogonalises in bfloat16,
which most CPUs only emulate. This one reads the rate where it is stored and multiplies as the rest of the training.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

MOMENTUM = 0.95
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
        """Update every matrix that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                momentum = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
                update = orthogonalise(matrix.grad.lerp(momentum, MOMENTUM))
                size = ADAMW_RMS * math.sqrt(max(matrix.shape))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.sub_(update * (group["lr"] * size))


def orthogonalise(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """The matrix with its singular values brought near 1, by a quintic Newton-Schulz iteration."""
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalise(matrix.T).T
    a, b, c = NEWTON_SCHULZ
    matrix = matrix / matrix.norm().clamp(min=1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = matrix @ matrix.T
        matrix = torch.addmm(matrix, torch.addmm(gram, gram, gram, beta=b, alpha=c), matrix, beta=a)
    return matrix
