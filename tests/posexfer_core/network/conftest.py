"""A network small enough to test, and images small enough for it."""

from collections.abc import Callable

import pytest
import torch

from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, Ablation, NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.sites import UNetShape

TOY_UNET = UNetShape(
    block_out_channels=(32, 64),
    layers_per_block=1,
    heads=(2, 4),
    attention=(True, True),
    cross_attention_dim=8,
    latent_channels=4,
    sample_size=(6, 5),
)


def toy_config(**changes) -> NetworkConfig:
    """Change sizes or ablation switches."""
    switches = {name: changes.pop(name) for name in vars(Ablation()) if name in changes}
    settings = {
        "token_width": 24,
        "encoder_widths": (8, 8, 16),
        "encoder_blocks": (1, 1, 1),
        "clip_width": 12,
        "points": 10,
        "control_heads": 2,
        "control_blocks": 1,
        "prior_widths": (16, 24),
        "prior_blocks": 1,
        "unet": TOY_UNET,
        "ablation": Ablation(**switches),
    }
    return NetworkConfig(**(settings | changes))


@pytest.fixture
def toy_network() -> Callable[..., PoseTransferNetwork]:
    """Build toy networks whose zero-initialised layers have been trained, so to say."""

    def build(*, trained: bool = True, **changes) -> PoseTransferNetwork:
        torch.manual_seed(0)
        network = PoseTransferNetwork(toy_config(**changes)).eval()
        if trained:
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.add_(0.05 * torch.randn(parameter.shape))
        return network

    return build


@pytest.fixture
def toy_inputs() -> Callable[..., ConditionInputs]:
    """Draw inputs at random: a 48x40 image unless told otherwise."""

    def draw(batch: int = 2, *, seed: int = 1, size: tuple[int, int] = (48, 40)):
        generator = torch.Generator().manual_seed(seed)

        def random(*shape: int) -> torch.Tensor:
            return torch.rand(shape, generator=generator) * 2 - 1

        latent_size = (size[0] // 8, size[1] // 8)
        return ConditionInputs(
            image=random(batch, 3, *size),
            source_maps=random(batch, 4, *size).abs(),
            points=random(batch, 10, 3),
            points_canonical=random(batch, 10, 3),
            maps={name: random(batch, c, *size) for name, c in MAP_CHANNELS.items()},
            warp_latents=random(batch, 4, *latent_size),
            clip_hidden=random(batch, 5, 12),
            source_latents=random(batch, 4, *latent_size),
        )

    return draw
