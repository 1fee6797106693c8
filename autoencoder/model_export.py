"""A model as two ONNX graphs, encoder and decoder; neither draws random numbers: the latent is an input."""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from autoencoder.models import AE, PCA, VAE
from autoencoder.onnx_export import EXAMPLE_BATCH, ExportParams, differences, export_graph, finished, in_parts, part_of


class Graphs(nn.Module):
    """image, latent -> what the encoder makes of the image, and the decoder of the latent.

    In one export, since the exporter's start-up costs as much as a whole network.
    """

    def __init__(self, model: PCA | AE | VAE) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, image: Float[Tensor, "batch 1 28 28"], latent: Float[Tensor, "batch latent_dim"]
    ) -> tuple[Tensor, ...]:
        """What `encoded` gives, then the reconstruction."""
        return *encoded(self.model, image), self.model.decode(latent)


def encoded(model: PCA | AE | VAE, image: Float[Tensor, "batch 1 28 28"]) -> tuple[Tensor, ...]:
    """The mean, and of a VAE log_var."""
    if isinstance(model, VAE):
        posterior = model.posterior(image)
        return posterior.mean, posterior.log_var
    return (model.encode(image),)


def export_model(model: PCA | AE | VAE, params: ExportParams, metadata: Mapping[str, str]) -> tuple[bytes, bytes]:
    """The encoder and the decoder, each as a self-contained ONNX file.

    Returns:
        The encoder: input `image` [batch, 1, 28, 28] in [0, 1]; output `mean`, for a VAE also `log_var`.
        The decoder: input `latent` [batch, latent_dim]; output `reconstruction` [batch, 1, 28, 28] in [0, 1].

    Raises:
        ValueError: see `finished`.
    """
    noise = torch.Generator().manual_seed(0)
    examples = {
        "image": torch.rand(EXAMPLE_BATCH, 1, 28, 28, generator=noise),
        "latent": torch.randn(EXAMPLE_BATCH, model.latent_dim, generator=noise),
    }
    codes, image = ["mean", "log_var"] if isinstance(model, VAE) else ["mean"], ["reconstruction"]
    both = export_graph(Graphs(model), examples, [*codes, *image], params)
    return (
        finished(part_of(both, ["image"], codes), {**metadata, "role": "encoder"}),
        finished(part_of(both, ["latent"], image), {**metadata, "role": "decoder"}),
    )


def computed(model: PCA | AE | VAE, image: Float[Tensor, "n 1 28 28"]) -> dict[str, Tensor]:
    """What torch computes of images: `mean`, of a VAE `log_var`, and the `reconstruction` of the mean."""
    mean, *log_var = in_parts(partial(encoded, model), image)
    (reconstruction,) = in_parts(lambda latent: (model.decode(latent),), mean)
    return {"mean": mean, **({"log_var": log_var[0]} if log_var else {}), "reconstruction": reconstruction}


def parity(
    encoder: bytes, decoder: bytes, image: Float[Tensor, "n 1 28 28"], expected: Mapping[str, Tensor]
) -> dict[str, float]:
    """The largest absolute difference between onnxruntime and torch, per output, over all these images.

    Args:
        encoder: the exported graph.
        decoder: the exported graph.
        image: intensities in [0, 1].
        expected: what torch has `computed` of them.

    Raises:
        ParityError: see `differences`.
    """
    codes = {name: values for name, values in expected.items() if name != "reconstruction"}
    images = {"reconstruction": expected["reconstruction"]}
    return differences(encoder, "image", image, codes) | differences(decoder, "latent", expected["mean"], images)
