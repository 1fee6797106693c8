"""What CUDA changes, and what it must not: skipped, with a notice, where there is no GPU."""

import pytest
import torch

from autoencoder.data import Split
from autoencoder.devices import configure
from autoencoder.models import AE, VAE, build_model
from autoencoder.recipe import TRAIN_PARAMS, PCATraining
from autoencoder.training import Training

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
OPTIMISATION = {
    "latent_dim": 4,
    "network": {"type": "mlp", "hidden": [64]},
    "likelihood": "bernoulli",
    "binarize": "none",
    "epochs": 3,
    "batch_size": 64,
    "learning_rate": 0.01,
    "learning_rate_warmup": 0.1,
    "weight_decay": 0.01,
    "grad_clip": 5.0,
}


def training(device: str, **params: object) -> Training:
    where = torch.device(device)
    configure(where, tf32=False)
    checked = TRAIN_PARAMS.validate_python({**OPTIMISATION, "kind": "ae", "optimizer": "adamw", **params})
    assert not isinstance(checked, PCATraining)
    images = torch.randint(0, 256, (640, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images[:, :, :14] = 0
    split = Split(images.to(where), torch.zeros(640, dtype=torch.uint8, device=where))
    model = build_model(checked, 0)
    assert isinstance(model, AE | VAE)
    return Training(model, checked, split, split.head(128), 0)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("binarize", ["none", "dynamic"])
def test_same_seed_same_bits_resumed_or_not(optimizer, binarize):
    vae = {"kind": "vae", "beta": 1.0, "kl_warmup": 0.1, "optimizer": optimizer, "binarize": binarize}
    first, second, stopped, resumed = (training("cuda", **vae) for _ in range(4))
    list(first.epochs())
    list(second.epochs())
    next(stopped.epochs())
    resumed.load_state_dict(stopped.state_dict())
    list(resumed.epochs())
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
        assert torch.equal(value, resumed.model.state_dict()[name]), name


@pytest.mark.gpu
@needs_cuda
def test_the_captured_step_computes_what_the_cpu_computes():
    on_cuda = [metrics.validation.loss for metrics in training("cuda").epochs()]
    on_cpu = [metrics.validation.loss for metrics in training("cpu").epochs()]
    assert on_cuda == pytest.approx(on_cpu, rel=1e-3)
