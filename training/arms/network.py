"""One arm: the pose-transfer network in a small UNet that draws in a single pass.

The UNet is given nothing to denoise; it regresses colours and the person's share of every pixel,
or corrections to what points carry, and the person is laid over the background plate, which every
arm is given alike.
"""

import torch
import torch.nn.functional as F
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.conventions import TRAINING_STEPS
from posexfer_core.diffusion.attach import attach
from posexfer_core.diffusion.text import no_text
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.model import HumanParams6D, PoseTransferNetwork

from ..losses import human_param_loss
from ..sample_random import SampleRandom
from .pairs import DRAWN, READ, person_of, restored, truth_of

CELL = 8 // (DRAWN // READ)
"""Drawn pixels of one latent, along each side."""
CHANNELS = 4 * CELL**2
"""Of a latent: three colours and the person's share of every pixel."""


class ArmNetwork(nn.Module):
    """Draws the target from what its config lets it read."""

    def __init__(self, config: NetworkConfig, human_params_weight: float) -> None:
        super().__init__()
        self.network = PoseTransferNetwork(config)
        self.unet = UNet2DConditionModel(**config.unet.diffusers_config())
        self.human_params_weight = human_params_weight
        last = self.unet.conv_out
        with torch.no_grad():
            last.weight.mul_(0.1)

    def draw(self, inputs: ConditionInputs) -> Float[Tensor, "batch 3 height width"]:
        """Draw, in [-1, 1] or a little outside."""
        return self._draw(inputs)[0]

    def _draw(self, inputs: ConditionInputs) -> tuple[Tensor, Tensor, HumanParams6D]:
        """Return the image, the person's share, and the source's body."""
        inputs = self.network.seen_as(inputs)
        condition, params = self.network.condition_and_params(inputs)
        batch, _, height, width = inputs.image.shape
        nothing = inputs.image.new_zeros(batch, CHANNELS, height // 8, width // 8)
        with attach(self.unet, self.network) as attached:
            attached.set_condition(condition)
            context = no_text(self.unet, batch).tokens
            latents = attached.predict(nothing, TRAINING_STEPS - 1, context)
        found = F.pixel_shuffle(latents, CELL)
        plate = F.avg_pool2d(inputs.maps["plate"], DRAWN // READ)
        if "carried" in self.network.config.ablation.map_groups:
            carried = F.avg_pool2d(inputs.maps["carried"], DRAWN // READ)
            known = torch.logit(carried[:, 3:], 0.01)
            found = found + torch.cat([carried[:, :3], known], 1)
        share = found[:, 3:].sigmoid()
        return plate + share * (found[:, :3] - plate), share, params

    def forward(self, batch: dict[str, Tensor], rng: SampleRandom) -> dict[str, Float[Tensor, ""]]:
        """Measure the error of the image, on the whole and on the person, and of the share."""
        image, share, params = self._draw(restored(batch))
        truth, person = truth_of(batch), person_of(batch)
        error = (image - truth).abs() + 0.5 * (image - truth).square()
        on_person = (person * error).sum((1, 2, 3)) / (3.0 * person.sum((1, 2, 3))).clamp(min=1.0)
        outline = F.binary_cross_entropy(share, person)
        body = human_param_loss(params, (batch["rotations"], batch["betas"]))
        loss = error.mean() + on_person.mean() + 0.2 * outline + self.human_params_weight * body
        return {"loss": loss, "person": on_person.mean(), "outline": outline, "body": body}
