"""Draw with the host's samplers, and guidance by pose and identity, each with its own scale."""

from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from ...posexfer_core.errors import ConfigError
from ...posexfer_core.network.config import LATENT_STRIDE
from ...posexfer_core.network.guidance import NONE, Guidance
from .attach import CONTROL_PATCH
from .control_patch import BRANCHES


class PoseTransferGuider(comfy.samplers.CFGGuider):
    """Guide by pose and identity: up to three passes, in one batch where memory allows."""

    def __init__(self, model: comfy.model_patcher.ModelPatcher, guidance: Guidance) -> None:
        super().__init__(model)
        self.guidance = guidance
        options = comfy.model_patcher.create_model_options_clone(model.model_options)
        options["transformer_options"][BRANCHES] = tuple(guidance.weights)
        self.model_options = options

    def predict_noise(
        self,
        x: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """Predict the image once for every branch, and combine."""
        branches = self.guidance.weights
        text = [self.conds["negative" if branch == NONE else "positive"] for branch in branches]
        return self.guidance.combine(
            comfy.samplers.calc_cond_batch(self.inner_model, text, x, timestep, model_options or {})
        )


def draw(
    model: comfy.model_patcher.ModelPatcher,
    guidance: Guidance,
    *,
    seed: int,
    steps: int,
    sampler: str,
    scheduler: str,
    size: tuple[int, int],
    batch: int,
    positive: Any = None,
    negative: Any = None,
) -> Tensor:
    """Sample latents, showing previews and heeding interrupts as the host's KSampler does.

    Args:
        model: from 3D Control Guidance Apply.
        guidance: scales of the two guidances.
        seed: of the noise.
        steps: of the sampler.
        sampler: by the host's name.
        scheduler: by the host's name.
        size: height and width of the image, pixels.
        batch: how many images of each frame.
        positive: text for the base; without it, one token of zeros.
        negative: text of the pass without pose and person; as the positive where left out.

    Raises:
        ConfigError: the MODEL has no condition.
    """
    control = model.get_attachment(CONTROL_PATCH)
    if control is None:
        raise ConfigError(
            "This MODEL has no condition. Connect the MODEL that comes out of "
            "3D Control Guidance Apply."
        )
    latent = model.get_model_object("latent_format")
    height, width = (side // LATENT_STRIDE for side in size)
    empty = torch.zeros(control.frames * batch, latent.latent_channels, height, width)
    noise = comfy.sample.prepare_noise(empty, seed)
    text = positive if positive is not None else empty_text(control.transfer.config)
    guider = PoseTransferGuider(model, guidance)
    guider.set_conds(text, negative if negative is not None else text)
    plan = comfy.samplers.KSampler(
        model, steps=steps, device=model.load_device, sampler=sampler, scheduler=scheduler
    )
    samples = guider.sample(
        noise,
        empty,
        comfy.samplers.sampler_object(sampler),
        plan.sigmas,
        callback=latent_preview.prepare_callback(model, steps),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seed,
    )
    return samples.to(comfy.model_management.intermediate_device())


def empty_text(config: Any) -> list[list[Any]]:
    """Make the conditioning of UNets that were trained without text: one token of zeros."""
    return [[torch.zeros(1, 1, config.unet.cross_attention_dim), {}]]
