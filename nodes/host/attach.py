"""Carry a `Condition` through the host's ModelPatcher.

Attention sites take attn2_replace, chained over whatever is there; residuals take
input_block_patch; the prior over the latents takes a wrapper of the diffusion model. What is added
is the same as in `posexfer_core.diffusion.attach`, which a test holds.
"""

from collections.abc import Callable
from typing import Any

import comfy.model_patcher
from comfy.ldm.modules.attention import optimized_attention
from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ...posexfer_core.network.sites import (
    AttentionSite,
    UNetShape,
    comfy_block,
    enumerate_sites,
    residual_block,
)
from .control_patch import ControlPatch, MakeCondition, Strengths
from .family import check_fit
from .models import PoseTransferModel
from .restoring import KeptWarp

CONTROL_PATCH = "posexfer_control_patch"
"""Attachment of a MODEL: the `ControlPatch` that was added last."""


def attach(
    model: comfy.model_patcher.ModelPatcher,
    transfer: PoseTransferModel,
    make: MakeCondition,
    strengths: Strengths,
    *,
    mask: Tensor | None = None,
    frames: int = 1,
    kept: KeptWarp | None = None,
) -> comfy.model_patcher.ModelPatcher:
    """Return a clone of a MODEL with a condition; the MODEL itself stays as it is.

    Args:
        model: of the family that the network was made for.
        transfer: the network.
        make: computes the condition once the size of the latents is known.
        strengths: how much, and when.
        mask: where, (1 or frames, height, width) from 0 to 1, stretched over the image.
        frames: how many images `make` conditions.
        kept: where `make` leaves its warp, when asked.

    Raises:
        ConfigError: the MODEL is of another family.
    """
    check_fit(model, transfer)
    patched = model.clone()
    sampling = patched.get_model_object("model_sampling")
    sigmas = tuple(sampling.percent_to_sigma(share) for share in (strengths.start, strengths.end))
    control = ControlPatch(transfer, make, strengths, sigmas, mask, frames, kept)
    shape = transfer.config.unet
    taken = patched.model_options["transformer_options"].get("patches_replace", {}).get("attn2", {})
    for site in enumerate_sites(shape):
        block = comfy_block(site, shape)
        below = taken.get(block) or taken.get(block[:2])
        patched.set_model_attn2_replace(SiteAttention(control, site, below), *block)
    patched.set_model_input_block_patch(InputResidual(control, shape))
    for kind, wrapper in (
        (WrappersMP.OUTER_SAMPLE, control.around_sampling),
        (WrappersMP.APPLY_MODEL, control.around_step),
        (WrappersMP.DIFFUSION_MODEL, control.around_unet),
    ):
        patched.add_wrapper_with_key(kind, control.tag, wrapper)
    patched.add_callback_with_key(CallbacksMP.ON_CLEANUP, control.tag, control.forget)
    patched.add_callback_with_key(CallbacksMP.ON_CLONE, control.tag, forking(control))
    patched.set_attachments(CONTROL_PATCH, control)
    return patched


class SiteAttention:
    """The cross-attention of one site, and what is added to it before the output projection."""

    def __init__(self, control: ControlPatch, site: AttentionSite, below: Any) -> None:
        self.control, self.site, self.below = control, site, below or plain_attention
        self.extra: list[tuple[Callable[..., Tensor], dict[str, Any]]] = []

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, options: dict[str, Any]) -> Tensor:
        """Attend as below, then add."""
        out, control = self.below(q, k, v, options), self.control
        given = control.strengths
        if control.tag in options and (given.identity or given.pose):
            height, width = options["activations_shape"][-2:]
            area, kv = control.area(q, options), control.keys_and_values(q, options)
            scales = given.identity * area, given.pose * area
            network = control.transfer.network
            out = out + network.attend(self.site.key, q, kv, height, width, *scales)
        for callback, settings in self.extra:
            first, last = settings.get("sigma_start", float("inf")), settings.get("sigma_end", 0.0)
            if last <= float(options["sigmas"][0]) <= first:
                out = out + callback(out, q, k, v, options, **settings)
        return out

    def add(self, callback: Callable[..., Tensor], **settings: Any) -> None:
        """Add another pack's attention, as IPAdapter packs expect of whoever holds the slot."""
        self.extra.append((callback, settings))

    def fork(self) -> "SiteAttention":
        """Copy, so that `add` stays local."""
        copy = SiteAttention(self.control, self.site, self.below)
        copy.extra = list(self.extra)
        return copy

    def models(self) -> list[comfy.model_patcher.ModelPatcher]:
        """Name what the host must load, ours and that of the patch below."""
        below = getattr(self.below, "models", None)
        return self.control.models() + (below() if below is not None else [])

    def __deepcopy__(self, memo: dict[int, Any]) -> "SiteAttention":
        """Copy the list of additions and share everything else."""
        return self.fork()


def forking(control: ControlPatch) -> Callable[[Any, comfy.model_patcher.ModelPatcher], None]:
    """Make what gives a clone patches of its own, so that what others add to them stays with it.

    Hosts after February 2026 share patches between clones.
    """

    def on_clone(old: Any, new: comfy.model_patcher.ModelPatcher) -> None:
        slots = new.model_options["transformer_options"]["patches_replace"]["attn2"]
        for block, patch in slots.items():
            if isinstance(patch, SiteAttention) and patch.control is control:
                slots[block] = patch.fork()

    return on_clone


class InputResidual:
    """Residuals on the way down, to the trunk and the skip alike."""

    def __init__(self, control: ControlPatch, shape: UNetShape) -> None:
        self.control = control
        levels = range(len(shape.block_out_channels))
        self.levels = {residual_block(level, shape): level for level in levels}

    def __call__(self, h: Tensor, options: dict[str, Any]) -> Tensor:
        """Add the level's residual to the last block of each level."""
        level, control = self.levels.get(tuple(options["block"])), self.control
        if level is None or control.tag not in options or not control.strengths.prior:
            return h
        if not control.condition.residuals:
            return h
        residual = control.residual(level, h, options)
        return h + control.strengths.prior * control.area(h, options) * residual

    def models(self) -> list[comfy.model_patcher.ModelPatcher]:
        """Name what the host must load together with the UNet."""
        return self.control.models()

    def __deepcopy__(self, memo: dict[int, Any]) -> "InputResidual":
        """Stay one; see `ControlPatch`."""
        return self


def plain_attention(q: Tensor, k: Tensor, v: Tensor, options: dict[str, Any]) -> Tensor:
    """Attend as the host does where nothing replaces it."""
    return optimized_attention(
        q,
        k,
        v,
        options["n_heads"],
        attn_precision=options["attn_precision"],
        transformer_options=options,
    )
