"""Networks of both families, small enough for many tests, and what they are fed."""

from dataclasses import asdict

import torch
from torch import nn

from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, Ablation, NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.sites import UNetShape
from tests.nodes.host_process import Pack
from tests.small_shapes import SD15_SHAPED, SDXL_SHAPED

TINY_SHAPED = UNetShape(
    block_out_channels=(32, 32, 64),
    layers_per_block=1,
    heads=(2, 2, 4),
    attention=(False, True, True),
    cross_attention_dim=16,
    latent_channels=16,
)
SMALL = {
    "token_width": 24,
    "encoder_widths": (8, 16, 24),
    "points": 16,
    "control_heads": 2,
    "control_blocks": 1,
    "prior_blocks": 1,
}
NETWORKS = {
    "tiny": NetworkConfig(**SMALL, unet=TINY_SHAPED, prior_widths=(8, 16, 16)),
    "sd15": NetworkConfig(
        **SMALL,
        unet=SD15_SHAPED,
        prior_widths=(8, 8, 16, 16),
        ablation=Ablation(prior_head=False),
    ),
    "sdxl": NetworkConfig(
        **SMALL,
        unet=SDXL_SHAPED,
        prior_widths=(8, 8, 16),
        ablation=Ablation(prior_head=False),
    ),
    "joint": NetworkConfig(
        **SMALL,
        unet=TINY_SHAPED,
        prior_widths=(8, 16, 16),
        ablation=Ablation(decoupled=False, prior_2d=False),
    ),
}
SIZE = (9, 6)  # odd: halves are rounded up


def make_inputs(config: NetworkConfig, generator: torch.Generator) -> ConditionInputs:
    height, width = (8 * side for side in SIZE)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return ConditionInputs(
        image=noise(1, 3, height, width),
        source_maps=noise(1, 4, height, width),
        points=noise(1, config.points, 3).clamp(-1.0, 1.0),
        points_canonical=noise(1, config.points, 3),
        maps={name: noise(1, count, height, width) for name, count in MAP_CHANNELS.items()},
        warp_latents=noise(1, config.latent_channels, *SIZE),
    )


def network_in(pack: Pack, network: PoseTransferNetwork) -> nn.Module:
    """Copy a network into the classes of a loaded pack."""
    config = pack.module("posexfer_core.files.configs").read_config(
        pack.module("posexfer_core.network.config").NetworkConfig, asdict(network.config)
    )
    copy = pack.module("posexfer_core.network.model").PoseTransferNetwork(config)
    copy.load_state_dict(network.state_dict())
    return copy.eval()
