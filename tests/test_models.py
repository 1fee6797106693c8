"""The networks: exact PCA, the article's architecture, gradients, reproducible initialisation."""

import numpy as np
import pytest
import torch
from sklearn import decomposition
from torch import nn

from autoencoder.models import AE, MODEL_PARAMS, PCA, VAE, ResidualBlock, build_model

MLP = {"type": "mlp", "hidden": [24, 16]}
CONV = {"type": "conv", "channels": [4, 6], "blocks": 1, "hidden": [12]}
NETWORKS = [
    {"kind": "ae_article"},
    {"kind": "vae_article"},
    {"kind": "ae", "latent_dim": 3, "network": MLP},
    {"kind": "vae", "latent_dim": 3, "network": MLP},
    {"kind": "ae", "latent_dim": 3, "network": CONV},
    {"kind": "vae", "latent_dim": 3, "network": CONV},
    {"kind": "vae", "latent_dim": 2, "network": {"type": "conv", "channels": [4], "blocks": 0, "hidden": [12, 8]}},
]


def build(params: dict, seed: int = 0) -> PCA | AE | VAE:
    return build_model(MODEL_PARAMS.validate_python(params), seed)


def noise_images(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_pca_equals_scikit_learn():
    images = noise_images(300) * torch.linspace(0, 1, 28)  # unequal variances, so that components are determined
    model = PCA(5)
    model.fit(images)
    library = decomposition.PCA(5, svd_solver="full").fit(images.flatten(1).double().numpy())
    codes, expected = model.encode(images).numpy(), library.transform(images.flatten(1).double().numpy())
    np.testing.assert_allclose(np.abs(codes), np.abs(expected), atol=1e-4)
    np.testing.assert_allclose(model.explained_variance_ratio, library.explained_variance_ratio_, rtol=1e-5)
    unclipped = library.inverse_transform(expected).reshape(-1, 1, 28, 28)
    np.testing.assert_allclose(model.decode(model.encode(images)), unclipped.clip(0, 1), atol=1e-4)
    assert (unclipped.min() < 0) or (unclipped.max() > 1)


@pytest.mark.parametrize("params", NETWORKS, ids=str)
def test_images_round_trip_in_shape_and_range(params):
    model = build(params)
    latent = model.encode(noise_images(5))
    assert latent.shape == (5, model.latent_dim)
    image = model.decode(latent)
    assert image.shape == (5, 1, 28, 28)
    assert image.min() >= 0
    assert image.max() <= 1
    torch.testing.assert_close(model.decode(torch.stack([latent, latent]))[1], image)


def test_a_residual_block_adds_to_what_goes_in():
    block = ResidualBlock(3)
    maps = noise_images(3)[:, :, :7, :7].expand(3, 3, 7, 7)
    torch.testing.assert_close(block(maps) - maps, block.layers(maps))
    nn.init.zeros_(block.layers[2].weight)
    nn.init.zeros_(block.layers[2].bias)
    assert torch.equal(block(maps), maps)


def test_a_convolutional_decoder_mirrors_the_encoder():
    network = {"type": "conv", "channels": [4, 6], "blocks": 2, "hidden": [12]}
    model = build({"kind": "vae", "latent_dim": 3, "network": network})
    assert isinstance(model, VAE)
    down, up = (
        [
            f"block {layer.layers[0].in_channels}"
            if isinstance(layer, ResidualBlock)
            else (layer.in_channels, layer.out_channels, layer.stride)
            for layer in trunk
            if isinstance(layer, ResidualBlock | nn.Conv2d | nn.ConvTranspose2d)
        ]
        for trunk in (model.encoder.trunk, model.decoder.trunk)
    )
    assert down == [(1, 4, (2, 2)), "block 4", "block 4", (4, 6, (2, 2)), "block 6", "block 6"]
    assert up == ["block 6", "block 6", (6, 4, (2, 2)), "block 4", "block 4", (4, 1, (2, 2))]


@pytest.mark.parametrize("params", NETWORKS, ids=str)
def test_every_parameter_gets_a_gradient(params):
    model = build(params)
    image = noise_images(64)
    if isinstance(model, VAE):
        posterior = model.posterior(image)
        loss = (
            model.decode(posterior.mean + torch.exp(0.5 * posterior.log_var)).square().sum() + posterior.log_var.sum()
        )
    else:
        loss = model.decode(model.encode(image)).square().sum()
    loss.backward()
    missing = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    assert missing == []


def test_same_seed_same_weights_and_no_touch_on_the_global_generator():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, second, other = (build(NETWORKS[3], seed=seed) for seed in (1, 1, 2))
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    same = [torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)]
    assert all(same)
    assert not torch.equal(first.state_dict()["encoder.mean.weight"], other.state_dict()["encoder.mean.weight"])


def layers(module: nn.Module) -> list[str]:
    names = []
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            names.append(f"{layer.in_features}-{layer.out_features}")
        elif isinstance(layer, nn.ReLU):
            names.append("relu")
    return names


def test_the_article_networks_are_the_article_s():
    ae, vae = build({"kind": "ae_article"}), build({"kind": "vae_article"})
    assert isinstance(ae, AE)
    assert isinstance(vae, VAE)
    encoder = ["784-256", "relu", "256-64", "relu", "64-20", "relu"]
    assert layers(ae.encoder) == encoder
    assert layers(ae.decoder) == ["20-64", "relu", "64-256", "relu", "256-784"]
    assert layers(vae.encoder) == encoder
    assert layers(vae.decoder) == ["10-64", "relu", "64-256", "relu", "256-784"]
    assert (ae.latent_dim, vae.latent_dim) == (20, 10)
    assert ae.encode(noise_images(9)).min() >= 0  # the ReLU on the code, a fault the baseline keeps


def test_the_article_s_posterior_has_the_variance_of_its_kl_term():
    model = build({"kind": "vae_article"})
    assert isinstance(model, VAE)
    image = noise_images(4)
    halves = model.encoder.layers(image)
    posterior = model.posterior(image)
    torch.testing.assert_close(posterior.mean, halves[:, :10])
    torch.testing.assert_close(posterior.log_var, torch.log(1e-8 + halves[:, 10:] ** 2))


def test_log_variance_is_bounded():
    model = build(NETWORKS[3])
    assert isinstance(model, VAE)
    with torch.no_grad():
        model.encoder.log_var.bias.fill_(100.0)
    assert model.posterior(noise_images(2)).log_var.max() == 10
