"""The networks: PCA, autoencoder, VAE, and the article's two baselines; `build_model` makes them from params.yaml.

Every model encodes an image in [0, 1] into a latent and decodes a latent into an image in [0, 1]. Encoders and
decoders are composed, not inherited: AE and VAE differ in what their encoder returns.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from pydantic import Field, TypeAdapter
from torch import Tensor, nn

from autoencoder.config import Section
from autoencoder.objectives import Gaussian

PIXELS = 28 * 28
LOG_VAR_RANGE = 10.0  # of the posterior: exp(+-10) is far outside what trains, and keeps exp finite
ARTICLE_VARIANCE_FLOOR = 1e-8  # as in the article's KL term

Width = Annotated[int, Field(ge=1, le=8192)]


class MLPParams(Section):
    """Fully connected layers from the image towards the latent; the decoder mirrors them."""

    type: Literal["mlp"]
    hidden: Annotated[list[Width], Field(min_length=1, max_length=8)]


class ConvParams(Section):
    """Strided convolutions, each halving the resolution, then fully connected layers; the decoder mirrors them.

    Each of them may be followed by residual blocks.
    """

    type: Literal["conv"]
    channels: Annotated[list[Width], Field(min_length=1, max_length=2)]
    blocks: Annotated[int, Field(ge=0, le=8)]
    hidden: Annotated[list[Width], Field(min_length=1, max_length=8)]


NetworkParams = Annotated[MLPParams | ConvParams, Field(discriminator="type")]


# These schemas hold what a network's shape depends on. They ignore the training parameters beside it (recipe.py
# adds those and forbids the rest), so that a new training parameter is no edit of this file.
class PCAParams(Section, extra="ignore"):
    """Principal component analysis."""

    kind: Literal["pca"]
    latent_dim: Annotated[int, Field(ge=1, le=PIXELS)]


class ArticleParams(Section, extra="ignore"):
    """The article's networks: their sizes are the article's."""

    kind: Literal["ae_article", "vae_article"]


class AEParams(Section, extra="ignore"):
    """An autoencoder."""

    kind: Literal["ae"]
    latent_dim: Annotated[int, Field(ge=1, le=PIXELS)]
    network: NetworkParams


class VAEParams(Section, extra="ignore"):
    """A variational autoencoder."""

    kind: Literal["vae"]
    latent_dim: Annotated[int, Field(ge=1, le=PIXELS)]
    network: NetworkParams


ModelParams = PCAParams | ArticleParams | AEParams | VAEParams
MODEL_PARAMS: TypeAdapter[ModelParams] = TypeAdapter(Annotated[ModelParams, Field(discriminator="kind")])


@runtime_checkable
class Model(Protocol):
    """What evaluation and export need of a model."""

    latent_dim: int

    def encode(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch latent_dim"]:
        """The latent of an image in [0, 1]: deterministic; of a VAE, the posterior mean."""

    def decode(self, latent: Float[Tensor, "*batch latent_dim"]) -> Float[Tensor, "*batch 1 28 28"]:
        """The image in [0, 1] of a latent."""


class PCA(nn.Module):
    """Principal component analysis, exact: the best linear autoencoder (Pearson 1901; Bourlard & Kamp 1988)."""

    mean: Float[Tensor, " 784"]
    components: Float[Tensor, "latent_dim 784"]
    explained_variance_ratio: Float[Tensor, " latent_dim"]

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.register_buffer("mean", torch.zeros(PIXELS))
        self.register_buffer("components", torch.zeros(latent_dim, PIXELS))
        self.register_buffer("explained_variance_ratio", torch.zeros(latent_dim))

    @torch.no_grad()
    def fit(self, image: Float[Tensor, "batch 1 28 28"]) -> None:
        """Set mean and components from training images; double precision, signs fixed so that runs agree."""
        pixels = image.flatten(1).double()
        mean = pixels.mean(0)
        centred = pixels - mean
        variances, vectors = torch.linalg.eigh(centred.T @ centred / (len(pixels) - 1))
        components = vectors.flip(1).T[: self.latent_dim]
        largest = components.gather(1, components.abs().argmax(1, keepdim=True))
        self.mean.copy_(mean)
        self.components.copy_(components * largest.sign())
        self.explained_variance_ratio.copy_(variances.flip(0)[: self.latent_dim] / variances.sum())

    def encode(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch latent_dim"]:
        """Coordinates along the components."""
        return (image.flatten(1) - self.mean) @ self.components.T

    def decode(self, latent: Float[Tensor, "*batch latent_dim"]) -> Float[Tensor, "*batch 1 28 28"]:
        """The linear reconstruction, clipped to [0, 1]."""
        return (latent @ self.components + self.mean).clamp(0, 1).unflatten(-1, (1, 28, 28))


class ResidualBlock(nn.Module):
    """Two convolutions, added to what goes into them (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.GELU(), nn.Conv2d(channels, channels, 3, padding=1)
        )

    def forward(self, maps: Float[Tensor, "batch channels side side"]) -> Float[Tensor, "batch channels side side"]:
        """Maps of the same size."""
        return maps + self.layers(maps)


class Encoder(nn.Module):
    """A trunk of features and a linear head: an image's latent."""

    def __init__(self, trunk: nn.Module, features: int, latent_dim: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(features, latent_dim)

    def forward(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch latent_dim"]:
        """Unbounded latents: no activation."""
        return self.head(self.trunk(image))


class GaussianEncoder(nn.Module):
    """A trunk of features and two linear heads: an image's posterior."""

    def __init__(self, trunk: nn.Module, features: int, latent_dim: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.mean = nn.Linear(features, latent_dim)
        self.log_var = nn.Linear(features, latent_dim)

    def forward(self, image: Float[Tensor, "batch 1 28 28"]) -> Gaussian:
        """Mean without an activation, log variance clamped to +-10."""
        features = self.trunk(image)
        return Gaussian(self.mean(features), self.log_var(features).clamp(-LOG_VAR_RANGE, LOG_VAR_RANGE))


class Decoder(nn.Module):
    """A trunk from latent to pixels plus one learned bias per pixel, which training starts at the mean image's logit."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk
        self.pixel_bias = nn.Parameter(torch.zeros(1, 28, 28))

    def forward(self, latent: Float[Tensor, "*batch latent_dim"]) -> Float[Tensor, "*batch 1 28 28"]:
        """Logits of the pixels."""
        return self.trunk(latent.flatten(0, -2)).view(*latent.shape[:-1], 1, 28, 28) + self.pixel_bias


class AE(nn.Module):
    """An autoencoder (Hinton & Salakhutdinov 2006)."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim

    def encode(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch latent_dim"]:
        """The latent."""
        return self.encoder(image)

    def decode(self, latent: Float[Tensor, "*batch latent_dim"]) -> Float[Tensor, "*batch 1 28 28"]:
        """The image: sigmoid of the decoder's logits."""
        return torch.sigmoid(self.decoder(latent))


class VAE(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014)."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim

    def posterior(self, image: Float[Tensor, "batch 1 28 28"]) -> Gaussian:
        """q(latent | image)."""
        return self.encoder(image)

    def encode(self, image: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch latent_dim"]:
        """The posterior mean."""
        return self.posterior(image).mean

    def decode(self, latent: Float[Tensor, "*batch latent_dim"]) -> Float[Tensor, "*batch 1 28 28"]:
        """The image: sigmoid of the decoder's logits."""
        return torch.sigmoid(self.decoder(latent))


class ArticleVAEEncoder(nn.Module):
    """The article's VAE encoder: mu and sigma are halves of one ReLU layer, which is what lets them die at 0."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, image: Float[Tensor, "batch 1 28 28"]) -> Gaussian:
        """The log variance is log(1e-8 + sigma^2), as in the article's KL term."""
        mean, sigma = self.layers(image).chunk(2, dim=-1)
        # times 4 / 4, which changes no bit: the ONNX exporter's optimizer takes a summand of 1e-8 for zero
        return Gaussian(mean, torch.log((4 * ARTICLE_VARIANCE_FLOOR + (2 * sigma).square()) / 4))


def build_model(params: ModelParams, seed: int) -> PCA | AE | VAE:
    """The model that params describe, initialised from the seed without touching torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match params:
            case PCAParams(latent_dim=latent_dim):
                return PCA(latent_dim)
            case ArticleParams(kind="ae_article"):
                return AE(_article_encoder(), _article_decoder(20), latent_dim=20)
            case ArticleParams(kind="vae_article"):
                return VAE(ArticleVAEEncoder(_article_encoder()), _article_decoder(10), latent_dim=10)
            case AEParams(latent_dim=latent_dim, network=network):
                trunk, features = _encoder_trunk(network)
                return AE(
                    Encoder(trunk, features, latent_dim), Decoder(_decoder_trunk(network, latent_dim)), latent_dim
                )
            case VAEParams(latent_dim=latent_dim, network=network):
                trunk, features = _encoder_trunk(network)
                encoder = GaussianEncoder(trunk, features, latent_dim)
                return VAE(encoder, Decoder(_decoder_trunk(network, latent_dim)), latent_dim)
    raise AssertionError(params)  # the schema's kinds are matched above


def _encoder_trunk(network: MLPParams | ConvParams) -> tuple[nn.Module, int]:
    """Image to features, and how many features."""
    if isinstance(network, MLPParams):
        return nn.Sequential(nn.Flatten(), *_dense([PIXELS, *network.hidden])), network.hidden[-1]
    convolutions: list[nn.Module] = []
    for inputs, outputs in pairwise([1, *network.channels]):
        convolutions += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.GELU()]
        convolutions += [ResidualBlock(outputs) for _ in range(network.blocks)]
    flat = network.channels[-1] * (28 >> len(network.channels)) ** 2
    return nn.Sequential(*convolutions, nn.Flatten(), *_dense([flat, *network.hidden])), network.hidden[-1]


def _decoder_trunk(network: MLPParams | ConvParams, latent_dim: int) -> nn.Module:
    """Latent to 784 values, without a bias in the last layer (the decoder has one per pixel)."""
    hidden = network.hidden[::-1]
    if isinstance(network, MLPParams):
        return nn.Sequential(*_dense([latent_dim, *hidden]), nn.Linear(hidden[-1], PIXELS, bias=False))
    side, channels = 28 >> len(network.channels), network.channels[::-1]
    layers = [*_dense([latent_dim, *hidden, channels[0] * side * side]), nn.Unflatten(1, (channels[0], side, side))]
    for inputs, outputs in pairwise(channels):
        layers += [ResidualBlock(inputs) for _ in range(network.blocks)]
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.GELU()]
    layers += [ResidualBlock(channels[-1]) for _ in range(network.blocks)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], 1, 4, stride=2, padding=1, bias=False))


def _dense(widths: list[int]) -> Iterator[nn.Module]:
    for inputs, outputs in pairwise(widths):
        yield nn.Linear(inputs, outputs)
        yield nn.GELU()


def _article_encoder() -> nn.Module:
    """784-256-64-20 with a ReLU after every layer, the code included."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise([PIXELS, 256, 64, 20]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def _article_decoder(latent_dim: int) -> nn.Module:
    """latent-64-256-784 with a ReLU between; the article's closing sigmoid is in `decode`."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise([latent_dim, 64, 256, PIXELS]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Unflatten(-1, (1, 28, 28)))
