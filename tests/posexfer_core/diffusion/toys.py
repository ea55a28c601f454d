"""A network, a UNet and a pipeline small enough for many tests, and what they are fed."""

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.diffusion.schedule import make_scheduler
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.sites import UNetShape

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
    clip_width=32,
    points=16,
    control_heads=2,
    control_blocks=1,
    prior_widths=(8, 16, 16),
    prior_blocks=1,
    unet=SHAPE,
)


def toy_unet(shape: UNetShape = SHAPE) -> UNet2DConditionModel:
    """Three levels, the coarsest without cross-attention as in SD 1.5."""
    torch.manual_seed(0)
    return UNet2DConditionModel(**shape.diffusers_config()).eval()


def toy_network(config: NetworkConfig = CONFIG, *, fresh: bool = False) -> PoseTransferNetwork:
    """A network whose every branch is heard; a fresh one has new branches of zero."""
    torch.manual_seed(1)
    network = PoseTransferNetwork(config).eval()
    if not fresh:
        with torch.no_grad():
            for parameter in network.parameters():
                if not parameter.any():
                    parameter.copy_(0.1 * torch.randn(parameter.shape))
    return network


def toy_pipeline(config: NetworkConfig = CONFIG) -> PoseTransferPipeline:
    """A pipeline of random weights that shows no progress bar."""
    unet, network = toy_unet(config.unet), toy_network(config)
    autoencoder = PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1)).eval()
    pipeline = PoseTransferPipeline(unet, make_scheduler(), network, autoencoder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def random_inputs(
    generator: torch.Generator, *, batch: int = 2, height: int = 64, width: int = 40
) -> ConditionInputs:
    """Inputs of the right shapes; nothing in them is an image."""

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return ConditionInputs(
        image=noise(batch, 3, height, width),
        source_maps=noise(batch, 4, height, width),
        points=noise(batch, CONFIG.points, 3).clamp(-1.0, 1.0),
        points_canonical=noise(batch, CONFIG.points, 3),
        maps={name: noise(batch, count, height, width) for name, count in MAP_CHANNELS.items()},
        warp_latents=noise(batch, SHAPE.latent_channels, height // 8, width // 8),
    )


def standing(
    body: BodyModel, size: tuple[int, int] = (64, 40), *, arm: float = 0.0, turn: float = 0.0
) -> BodyView:
    """See a person who stands 5 m away, facing the camera, head to foot.

    Args:
        body: the body model.
        size: height and width of the image.
        arm: lowering of the left arm, radians.
        turn: of the whole body about the vertical, radians.
    """
    pose = torch.zeros(24, 3)
    facing = torch.tensor([torch.pi, 0.0, 0.0])
    pose[0] = facing if turn == 0.0 else torch.tensor([torch.pi, 0.0, turn])
    pose[16, 2] = -arm
    height, width = size
    return BodyView.of(
        HumanParams.single(
            pose=pose,
            betas=torch.zeros(10),
            transl=torch.tensor([0.0, 0.0, 5.0]),
            intrinsics=intrinsics_matrix(2.2 * height, (height, width)),
            image_size=size,
        ),
        body,
    )
