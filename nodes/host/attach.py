"""Carry a `Condition` through the host's ModelPatcher.

Attention sites take attn2_replace, chained over whatever is there; residuals take
input_block_patch; the anchor takes a wrapper of the diffusion model. What is added is the same as
in `posexfer_core.diffusion.attach`, which a test holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import comfy.model_patcher
import torch
import torch.nn.functional as F
from comfy.ldm.modules.attention import optimized_attention
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ...posexfer_core.errors import ConfigError
from ...posexfer_core.network.anchor import Anchor, alpha_bar_at, anchored_velocity
from ...posexfer_core.network.condition import Condition
from ...posexfer_core.network.config import UNetShape
from ...posexfer_core.network.guidance import FULL, NONE, Branch
from ...posexfer_core.network.model import KeyValues
from ...posexfer_core.network.sites import (
    AttentionSite,
    comfy_block,
    enumerate_sites,
    residual_block,
)
from .models import PoseTransferModel

BRANCHES = "posexfer_branches"
"""In transformer_options: the branch of each conditioning, where a guider of ours set it."""
STEERING = "posexfer_steering"
"""Attachment of a MODEL: the `Steering` that was added last."""

MakeCondition = Callable[[tuple[int, int], Sequence[Branch], torch.device], Condition]
"""From latent height and width, branches and device to the condition, branch after branch."""


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """How much of each part is added, and when; 1 as trained, 0 not at all."""

    identity: float = 1.0
    pose: float = 1.0
    prior: float = 1.0
    start: float = 0.0
    """Share of sampling after which it begins."""
    end: float = 1.0
    """Share of sampling after which it ends."""
    everywhere: bool = False
    """Steer negative conditionings too, instead of giving them the null condition."""

    @property
    def nothing(self) -> bool:
        """Whether the MODEL stays as it is."""
        return not (self.identity or self.pose or self.prior) or self.start >= self.end


def attach(
    model: comfy.model_patcher.ModelPatcher,
    transfer: PoseTransferModel,
    make: MakeCondition,
    strengths: Strengths,
    *,
    mask: Tensor | None = None,
    frames: int = 1,
) -> comfy.model_patcher.ModelPatcher:
    """Return a clone of a MODEL that is steered; the MODEL itself stays as it is.

    Args:
        model: of the family that the network was made for.
        transfer: the network.
        make: computes the condition once the size of the latents is known.
        strengths: how much, and when.
        mask: where, (1 or frames, height, width) from 0 to 1, stretched over the picture.
        frames: how many pictures `make` conditions.

    Raises:
        ConfigError: the MODEL is of another family.
    """
    check_fit(model, transfer)
    patched = model.clone()
    sampling = patched.get_model_object("model_sampling")
    sigmas = tuple(sampling.percent_to_sigma(share) for share in (strengths.start, strengths.end))
    steering = Steering(transfer, make, strengths, sigmas, mask, frames)
    shape = transfer.config.unet
    taken = patched.model_options["transformer_options"].get("patches_replace", {}).get("attn2", {})
    for site in enumerate_sites(shape):
        block = comfy_block(site, shape)
        below = taken.get(block) or taken.get(block[:2])
        patched.set_model_attn2_replace(SiteAttention(steering, site, below), *block)
    patched.set_model_input_block_patch(InputResidual(steering, shape))
    for kind, wrapper in (
        (WrappersMP.OUTER_SAMPLE, steering.around_sampling),
        (WrappersMP.APPLY_MODEL, steering.around_step),
        (WrappersMP.DIFFUSION_MODEL, steering.around_unet),
    ):
        patched.add_wrapper_with_key(kind, steering.tag, wrapper)
    patched.add_callback_with_key(CallbacksMP.ON_CLEANUP, steering.tag, steering.forget)
    patched.add_callback_with_key(CallbacksMP.ON_CLONE, steering.tag, steering.on_clone)
    patched.set_attachments(STEERING, steering)
    return patched


class Steering:
    """What one Apply node adds to a MODEL, shared by every hook; holds no weights of its own."""

    def __init__(
        self,
        transfer: PoseTransferModel,
        make: MakeCondition,
        strengths: Strengths,
        sigmas: tuple[float, ...],
        mask: Tensor | None,
        frames: int,
    ) -> None:
        self.transfer, self.make, self.strengths = transfer, make, strengths
        self.sigmas, self.mask, self.frames = sigmas, mask, frames
        self.tag = f"posexfer_{uuid4().hex}"
        self.branches: tuple[Branch, ...] = ()
        self.condition: Condition | None = None
        self.projected: KeyValues | None = None
        self._picked: dict[tuple[int, ...], KeyValues] = {}

    def around_sampling(self, executor: Any, noise: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the condition before the host loads the UNet, and drop it after the run."""
        options = executor.class_obj.model_options["transformer_options"]
        if not self.strengths.nothing:
            self.prepare((noise.shape[-2], noise.shape[-1]), options.get(BRANCHES))
        try:
            return executor(noise, *args, **kwargs)
        finally:
            self.forget()

    def around_step(
        self,
        executor: Any,
        x: Tensor,
        t: Tensor,
        c_concat: Tensor | None = None,
        c_crossattn: Tensor | None = None,
        control: Any = None,
        transformer_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Decide once per step, outside of what may be compiled, whether anything is added."""
        options = transformer_options or {}
        start, end = self.sigmas
        if not self.strengths.nothing and end <= float(options["sigmas"][0]) <= start:
            if self.condition is None:
                self.prepare((x.shape[-2], x.shape[-1]), options.get(BRANCHES))
            if self.projected is None:
                self.condition = self.condition.to(x.device)
                with torch.no_grad():
                    self.projected = self.transfer.network.precompute_kv(self.condition)
            options = {**options, self.tag: True}
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def around_unet(
        self, executor: Any, x: Tensor, timesteps: Tensor, *args: Any, **kw: Any
    ) -> Any:
        """Add what the prior knows of the result to what the UNet predicts."""
        predicted = executor(x, timesteps, *args, **kw)
        options = kw.get("transformer_options") or (args[3] if len(args) > 3 else {})
        anchor = None if self.condition is None else self.condition.anchor
        if self.tag not in options or anchor is None or not self.strengths.prior:
            return predicted
        rows = self.rows(x, options)
        size = tuple(x.shape[-2:])
        mean, std = (fitted(part[rows], size) for part in (anchor.mean, anchor.std))
        known = Anchor(mean=mean, std=std)
        anchored = anchored_velocity(predicted, x, alpha_bar_at(timesteps), known)
        share = self.strengths.prior * self.area(x, options)
        if isinstance(share, float) and share == 1.0:
            return anchored
        return predicted + share * (anchored - predicted)

    @torch.no_grad()
    def prepare(self, size: tuple[int, int], branches: Sequence[Branch] | None) -> None:
        """Compute the condition for latents of this height and width."""
        own = (FULL,) if self.strengths.everywhere else (FULL, NONE)
        self.forget()
        self.branches = tuple(branches or own)
        self.condition = self.make(size, self.branches, self.transfer.on_device())

    def forget(self, patcher: Any = None) -> None:
        """Drop everything that was computed for a run."""
        self.condition, self.projected, self._picked = None, None, {}

    def on_clone(self, old: Any, new: comfy.model_patcher.ModelPatcher) -> None:
        """Give a clone patches of its own, so that what others add to them stays with it.

        Hosts after February 2026 share patches between clones.
        """
        slots = new.model_options["transformer_options"]["patches_replace"]["attn2"]
        for block, patch in slots.items():
            if isinstance(patch, SiteAttention) and patch.steering is self:
                slots[block] = patch.fork()

    def numbers(self, x: Tensor, options: dict[str, Any]) -> tuple[int, ...]:
        """Say which row of the condition each row of the batch takes.

        `cond_or_uncond` counts conditionings: 0 the first, here the positive one. Packs that couple
        prompts enlarge the batch of attentions under a key of their own.
        """
        coupled = options.get("cond_or_uncond_hook_couple") if x.ndim == 3 else None
        kinds = coupled or options["cond_or_uncond"]
        count = len(self.condition.identity) // len(self.branches)
        last = len(self.branches) - 1
        each = range(len(x) // len(kinds))
        return tuple(min(kind, last) * count + row % count for kind in kinds for row in each)

    def rows(self, x: Tensor, options: dict[str, Any]) -> Tensor:
        """Give `numbers` as an index."""
        return torch.tensor(self.numbers(x, options), device=x.device)

    def keys_and_values(self, x: Tensor, options: dict[str, Any]) -> KeyValues:
        """Give the keys and values of each row of the batch; picked once per run."""
        numbers = self.numbers(x, options)
        if numbers not in self._picked:
            self._picked[numbers] = self.projected.rows(torch.tensor(numbers, device=x.device))
        return self._picked[numbers]

    def area(self, x: Tensor, options: dict[str, Any]) -> float | Tensor:
        """Give the mask at the size of what is added to: tokens or a map."""
        if self.mask is None:
            return 1.0
        size = tuple(options["activations_shape"][-2:] if x.ndim == 3 else x.shape[-2:])
        mask = F.interpolate(self.mask[:, None].to(x), size=size, mode="area")
        if len(mask) > 1:
            mask = mask[self.rows(x, options) % len(mask)]
        return mask.flatten(2).mT if x.ndim == 3 else mask

    def models(self) -> list[comfy.model_patcher.ModelPatcher]:
        """Name what the host must load together with the UNet."""
        return [self.transfer.patcher]

    def __deepcopy__(self, memo: dict[int, Any]) -> "Steering":
        """Stay one: hosts before February 2026 deep-copy patches with every clone."""
        return self


class SiteAttention:
    """The cross-attention of one site, and what is added to it before the output projection."""

    def __init__(self, steering: Steering, site: AttentionSite, below: Any) -> None:
        self.steering, self.site, self.below = steering, site, below or plain_attention
        self.extra: list[tuple[Callable[..., Tensor], dict[str, Any]]] = []

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, options: dict[str, Any]) -> Tensor:
        """Attend as below, then add."""
        out, steering = self.below(q, k, v, options), self.steering
        given = steering.strengths
        if steering.tag in options and (given.identity or given.pose):
            height, width = options["activations_shape"][-2:]
            area, kv = steering.area(q, options), steering.keys_and_values(q, options)
            scales = given.identity * area, given.pose * area
            network = steering.transfer.network
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
        copy = SiteAttention(self.steering, self.site, self.below)
        copy.extra = list(self.extra)
        return copy

    def models(self) -> list[comfy.model_patcher.ModelPatcher]:
        """Name what the host must load, ours and that of the patch below."""
        below = getattr(self.below, "models", None)
        return self.steering.models() + (below() if below is not None else [])

    def __deepcopy__(self, memo: dict[int, Any]) -> "SiteAttention":
        """Copy the list of additions and share everything else."""
        return self.fork()


class InputResidual:
    """Residuals on the way down, to the trunk and the skip alike."""

    def __init__(self, steering: Steering, shape: UNetShape) -> None:
        self.steering = steering
        levels = range(len(shape.block_out_channels))
        self.levels = {residual_block(level, shape): level for level in levels}

    def __call__(self, h: Tensor, options: dict[str, Any]) -> Tensor:
        """Add the level's residual to the last block of each level."""
        level, steering = self.levels.get(tuple(options["block"])), self.steering
        if level is None or steering.tag not in options or not steering.strengths.prior:
            return h
        if not steering.condition.residuals:
            return h
        residual = steering.condition.residuals[level][steering.rows(h, options)]
        residual = fitted(residual, tuple(h.shape[-2:])).to(h.dtype)
        return h + steering.strengths.prior * steering.area(h, options) * residual

    def models(self) -> list[comfy.model_patcher.ModelPatcher]:
        """Name what the host must load together with the UNet."""
        return self.steering.models()

    def __deepcopy__(self, memo: dict[int, Any]) -> "InputResidual":
        """Stay one; see `Steering`."""
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


def fitted(values: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize maps where a sampler works on another size than was prepared."""
    if tuple(values.shape[-2:]) == size:
        return values
    return F.interpolate(values, size=size, mode="bilinear", antialias=True)


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


def cross_attentions(unet: UNetModel) -> Any:
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
