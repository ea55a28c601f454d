"""Whether a MODEL is of the family that a network was made for."""

from collections.abc import Iterator
from typing import Any

import comfy.model_patcher
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ...posexfer_core.errors import ConfigError
from ...posexfer_core.network.sites import comfy_block, enumerate_sites
from .models import PoseTransferModel


def check_fit(model: comfy.model_patcher.ModelPatcher, transfer: PoseTransferModel) -> None:
    """Refuse a MODEL of another family than the network was made for.

    Raises:
        ConfigError: says what was expected and found.
    """
    unet, shape = model.model.diffusion_model, transfer.config.unet
    advice = "Connect the MODEL that the pose-transfer weights were made for."
    if not isinstance(unet, UNetModel):
        raise ConfigError(
            f"The MODEL is a {type(unet).__name__}, and '{transfer.name}' sits in a UNet of the "
            f"Stable Diffusion kind. {advice}"
        )
    expected = {
        comfy_block(site, shape): (site.channels, site.heads) for site in enumerate_sites(shape)
    }
    found = dict(cross_attentions(unet))
    latents = model.get_model_object("latent_format").latent_channels
    if found != expected or latents != shape.latent_channels:
        raise ConfigError(
            f"The MODEL has {len(found)} cross-attentions of {_widths(found)} channels and "
            f"{latents} latent channels; '{transfer.name}' was made for {len(expected)} of "
            f"{_widths(expected)} and {shape.latent_channels}. {advice}"
        )


def check_vae(vae: Any, channels: int) -> None:
    """Refuse a VAE whose latents the MODEL does not draw.

    Raises:
        ConfigError: says what was expected and found.
    """
    found = vae.latent_channels
    if found != channels:
        raise ConfigError(
            f"The VAE reads latents of {found} channels, the MODEL draws {channels}. Connect the "
            "VAE that belongs to the MODEL: for the bundled weights, that of Load Pose-Transfer "
            "Model."
        )


def check_text(text: Any, width: int, name: str) -> None:
    """Refuse text that was encoded for another family.

    Args:
        text: a CONDITIONING, or None.
        width: of a token that the MODEL attends to.
        name: of the input.

    Raises:
        ConfigError: says what was expected and found.
    """
    for tokens, _ in text or []:
        if tokens.shape[-1] != width:
            raise ConfigError(
                f"'{name}' has text tokens of width {tokens.shape[-1]}, the MODEL attends to "
                f"{width}. Use the CLIP of the MODEL's own checkpoint; the bundled weights take "
                "no text: leave it unconnected."
            )


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


def _widths(sites: dict[tuple[str, int, int], tuple[int, int]]) -> list[int]:
    return sorted({channels for channels, _ in sites.values()})
