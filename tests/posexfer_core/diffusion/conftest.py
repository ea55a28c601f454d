"""A network and a UNet small enough for many tests, with weights that are not zero."""

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig, UNetShape
from posexfer_core.network.model import PoseTransferNetwork

SHAPE = UNetShape(
    block_out_channels=(32, 64, 64),
    layers_per_block=1,
    heads=(2, 4, 4),
    attention=(True, True, False),
    cross_attention_dim=16,
    latent_channels=4,
)
CONFIG = NetworkConfig(
    token_width=24,
    encoder_widths=(8, 16, 24),
    points=16,
    control_heads=2,
    control_blocks=1,
    prior_widths=(8, 16, 16),
    prior_blocks=1,
    unet=SHAPE,
)


def fill(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Give every zero-initialised parameter random values, so that each branch is heard."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module


@pytest.fixture
def unet() -> UNet2DConditionModel:
    """A three-level UNet whose coarsest level has no cross-attention, as SD 1.5's."""
    torch.manual_seed(0)
    return UNet2DConditionModel(**SHAPE.diffusers_config()).eval()


@pytest.fixture
def fresh_network() -> PoseTransferNetwork:
    """A network as training starts it: new branches are zero."""
    torch.manual_seed(1)
    return PoseTransferNetwork(CONFIG).eval()


@pytest.fixture
def network(fresh_network: PoseTransferNetwork) -> PoseTransferNetwork:
    """A network whose every branch changes the prediction."""
    fill(fresh_network, 2)
    return fresh_network


def random_inputs(
    generator: torch.Generator, *, batch: int = 1, height: int = 64, width: int = 40
) -> ConditionInputs:
    """Inputs of the right shapes; nothing in them is a picture."""

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return ConditionInputs(
        picture=noise(batch, 3, height, width),
        source_maps=noise(batch, 4, height, width),
        points=noise(batch, CONFIG.points, 3).clamp(-1.0, 1.0),
        points_canonical=noise(batch, CONFIG.points, 3),
        maps={name: noise(batch, count, height, width) for name, count in MAP_CHANNELS.items()},
        draft_latents=noise(batch, SHAPE.latent_channels, height // 8, width // 8),
    )


@pytest.fixture
def inputs(generator: torch.Generator) -> ConditionInputs:
    """Two pictures' inputs."""
    return random_inputs(generator, batch=2)
