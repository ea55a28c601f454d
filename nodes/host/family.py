"""Whether a MODEL is of the family that a network was made for."""

from collections.abc import Iterator

import comfy.model_patcher
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ...posexfer_core.errors import ConfigError
from ...posexfer_core.network.sites import (
    check_same,
    comfy_block,
    describe_site,
    enumerate_sites,
)
from .models import PoseTransferModel


def check_fit(model: comfy.model_patcher.ModelPatcher, transfer: PoseTransferModel) -> None:
    """Refuse a MODEL of another family than the network was made for.

    Raises:
        ConfigError: says what was expected and found.
    """
    unet, shape = model.model.diffusion_model, transfer.config.unet
    if not isinstance(unet, UNetModel):
        raise ConfigError(
            f"The MODEL is a {type(unet).__name__}, and '{transfer.name}' sits in a UNet of the "
            "Stable Diffusion kind. Connect the MODEL that these weights were made for."
        )
    expected = {
        name_site(*comfy_block(site, shape)): describe_site(site.channels, site.heads)
        for site in enumerate_sites(shape)
    }
    found = {name_site(*block): describe_site(*sizes) for block, sizes in cross_attentions(unet)}
    latents = model.get_model_object("latent_format").latent_channels
    check_same(
        {"latent_channels": str(shape.latent_channels), **expected},
        {"latent_channels": str(latents), **found},
    )


def name_site(block: str, number: int, depth: int) -> str:
    """Name a cross-attention as in the state dict."""
    path = "middle_block" if block == "middle" else f"{block}_blocks.{number}"
    return f"{path}.1.transformer_blocks.{depth}.attn2"


def cross_attentions(unet: UNetModel) -> Iterator[tuple[tuple[str, int, int], tuple[int, int]]]:
    """List (block name, number, depth) and (channels, heads) of every cross-attention."""
    groups = {
        "input": unet.input_blocks,
        "middle": [unet.middle_block],
        "output": unet.output_blocks,
    }
    for name, blocks in groups.items():
        for number, layers in enumerate(blocks):
            for layer in layers:
                for depth, block in enumerate(getattr(layer, "transformer_blocks", [])):
                    if getattr(block, "attn2", None) is not None:
                        attn = block.attn2
                        yield (name, number, depth), (attn.to_q.weight.shape[0], attn.heads)
