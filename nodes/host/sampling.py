"""Draw with the host's samplers, and guidance by pose and identity, each with its own scale."""

from typing import Any, NamedTuple

import comfy.model_management
import comfy.model_patcher
import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch
import torch.nn.functional as F
from torch import Tensor

from ...posexfer_core.errors import ConfigError
from ...posexfer_core.network.config import LATENT_STRIDE
from ...posexfer_core.network.guidance import NONE, Guidance
from .attach import CONTROL_PATCH
from .control_patch import BRANCHES, ControlPatch
from .family import check_text, check_vae
from .framing import check_sides
from .images import from_core, to_core
from .restoring import restore


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


class Drawn(NamedTuple):
    """Latents, and what restores the detail that they lose."""

    samples: Tensor
    warped: Tensor | None
    """(frames, 5, height, width); None where there was no warp."""
    mask: Tensor | None
    """Where the MODEL was conditioned, (1 or frames, height, width); None: everywhere."""


def conditioned(model: comfy.model_patcher.ModelPatcher) -> ControlPatch:
    """Find what 3D Control Guidance Apply added.

    Raises:
        ConfigError: the MODEL has no condition.
    """
    control = model.get_attachment(CONTROL_PATCH)
    if control is None:
        raise ConfigError(
            "This MODEL has no condition. Connect the MODEL that comes out of "
            "3D Control Guidance Apply."
        )
    return control


def check_inputs(
    model: comfy.model_patcher.ModelPatcher,
    size: tuple[int, int],
    *,
    vae: Any = None,
    positive: Any = None,
    negative: Any = None,
) -> None:
    """Refuse sides, a VAE and text that do not go with a MODEL, before anything is sampled.

    Raises:
        ConfigError: says what was expected and found.
    """
    control = conditioned(model)
    check_sides(size[1], size[0])
    width = control.transfer.config.unet.cross_attention_dim
    for name, text in (("positive", positive), ("negative", negative)):
        check_text(text, width, name)
    if vae is not None:
        check_vae(vae, model.get_model_object("latent_format").latent_channels)


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
) -> Drawn:
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
    control = conditioned(model)
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
    control.kept.wanted = True
    try:
        samples = guider.sample(
            noise,
            empty,
            comfy.samplers.sampler_object(sampler),
            plan.sigmas,
            callback=latent_preview.prepare_callback(model, steps),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=seed,
        )
    finally:
        warped = control.kept.take()
    if not control.strengths.prior:
        warped = None
    samples = samples.to(comfy.model_management.intermediate_device())
    return Drawn(samples, warped, control.mask)


def decode(vae: Any, drawn: Drawn, *, detail: bool) -> Tensor:
    """Decode latents to an IMAGE, and restore the warp's detail where the MODEL was conditioned."""
    image = vae.decode(drawn.samples)
    if drawn.warped is None or not detail:
        return image
    before = to_core(image)
    restored = restore(before, drawn.warped.to(before), where_soft=True)
    if drawn.mask is not None:
        masks = drawn.mask[:, None].to(before)
        area = F.interpolate(masks, size=before.shape[-2:], mode="area")
        area = torch.cat([area[[n % len(area)]] for n in range(len(before))])
        restored = before + area * (restored - before)
    return from_core(restored)


def empty_text(config: Any) -> list[list[Any]]:
    """Make the conditioning of UNets that were trained without text: one token of zeros."""
    return [[torch.zeros(1, 1, config.unet.cross_attention_dim), {}]]
