import pytest
import torch
from torch import nn

from autoencoder.muon import MOMENTUM, Muon, orthogonalised

SHAPES = [(20, 64), (64, 20), (32, 32)]


def matrix(shape: tuple[int, int], seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_come_near_1_and_directions_stay(shape):
    given = matrix(shape, 0)
    left, values, right = torch.linalg.svd(given, full_matrices=False)
    (result,) = orthogonalised([given])
    found = left.T @ result @ right.T
    kept = values > 0.05 * values.max()  # the smallest ones need more than five iterations
    diagonal = found.diagonal()[kept]
    assert (diagonal > 0.6).all()
    assert (diagonal < 1.3).all()
    torch.testing.assert_close(found, torch.diag(found.diagonal()), atol=1e-4, rtol=0)


def test_a_zero_matrix_stays_zero():
    assert orthogonalised([torch.zeros(3, 4)])[0].eq(0).all()


def test_each_matrix_of_many_becomes_what_it_becomes_alone():
    given = [matrix(shape, seed) for seed, shape in enumerate([(20, 64), (5, 3), (64, 20), (20, 64), (32, 32)])]
    together = orthogonalised(given)
    for one, result in zip(given, together, strict=True):
        torch.testing.assert_close(result, orthogonalised([one])[0])


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_as_torch_does_but_for_its_bfloat16(shape):
    ours, theirs = (nn.Parameter(matrix(shape, 1)) for _ in range(2))
    optimizers = [
        Muon([ours], lr=0.1, weight_decay=0.5),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0.5, momentum=MOMENTUM, adjust_lr_fn="match_rms_adamw"),
    ]
    for step in range(3):
        ours.grad, theirs.grad = (matrix(shape, 2 + step) for _ in range(2))
        for optimizer in optimizers:
            optimizer.step()
    moved = (theirs - matrix(shape, 1)).norm()
    assert (ours - theirs).norm() < 0.01 * moved


def test_reads_the_learning_rate_where_it_is_stored():
    rate = torch.tensor(0.0)
    weight = nn.Parameter(matrix((4, 4), 0))
    optimizer = Muon([weight], lr=rate, weight_decay=0.0)
    weight.grad = matrix((4, 4), 1)
    optimizer.step()
    assert torch.equal(weight, matrix((4, 4), 0))
    rate.fill_(0.1)
    optimizer.step()
    assert not torch.equal(weight, matrix((4, 4), 0))


def test_goes_on_where_it_was_saved():
    def run(steps: range, weight: nn.Parameter, state: dict | None) -> tuple[nn.Parameter, dict]:
        optimizer = Muon([weight], lr=0.1, weight_decay=0.01)
        if state:
            optimizer.load_state_dict(state)
        for step in steps:
            weight.grad = matrix((5, 3), step)
            optimizer.step()
        return weight, optimizer.state_dict()

    undisturbed, _ = run(range(4), nn.Parameter(matrix((5, 3), 9)), None)
    halfway, state = run(range(2), nn.Parameter(matrix((5, 3), 9)), None)
    resumed, _ = run(range(2, 4), nn.Parameter(halfway.detach().clone()), state)
    assert torch.equal(resumed, undisturbed)
