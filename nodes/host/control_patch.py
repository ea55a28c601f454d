"""What one Apply node adds to a MODEL over a run of sampling.

The condition is computed once the size of the latents is known, and dropped after the run. What
does not change over the steps of a run is computed on its first step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import comfy.model_patcher
import torch
import torch.nn.functional as F
from torch import Tensor

from ...posexfer_core.network.condition import Condition
from ...posexfer_core.network.guidance import FULL, NONE, Branch
from ...posexfer_core.network.kv_cache import KeyValues
from ...posexfer_core.network.latent_prior import LatentPrior, precondition_velocity
from .models import PoseTransferModel
from .restoring import KeptWarp

BRANCHES = "posexfer_branches"
"""In transformer_options: the branch of each conditioning, where a guider of ours set it."""
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
    """Condition negative conditionings too, instead of giving them the null condition."""

    @property
    def nothing(self) -> bool:
        """Whether the MODEL stays as it is."""
        return not (self.identity or self.pose or self.prior) or self.start >= self.end

    @property
    def always(self) -> bool:
        """Whether every step is conditioned."""
        return self.start <= 0.0 and self.end >= 1.0


class ControlPatch:
    """What one Apply node adds to a MODEL, shared by every hook; holds no weights of its own."""

    def __init__(
        self,
        transfer: PoseTransferModel,
        make: MakeCondition,
        strengths: Strengths,
        sigmas: tuple[float, ...],
        mask: Tensor | None,
        frames: int,
        kept: KeptWarp | None = None,
    ) -> None:
        self.transfer, self.make, self.strengths = transfer, make, strengths
        self.sigmas, self.mask, self.frames = sigmas, mask, frames
        self.kept = kept or KeptWarp()
        self.tag = f"posexfer_{uuid4().hex}"
        self.branches: tuple[Branch, ...] = ()
        self.condition: Condition | None = None
        self.key_values: KeyValues | None = None
        self.cached: dict[tuple[Any, ...], Any] = {}

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
        if self.is_due(options):
            if self.condition is None:
                self.prepare((x.shape[-2], x.shape[-1]), options.get(BRANCHES))
            if self.key_values is None:
                self.condition = self.condition.to(x.device)
                with torch.no_grad():
                    self.key_values = self.transfer.network.precompute_kv(self.condition)
            options = {**options, self.tag: True}
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def is_due(self, options: dict[str, Any]) -> bool:
        """Whether the step is conditioned; reads its sigma, for which a GPU waits, if needed."""
        if self.strengths.always or self.strengths.nothing:
            return not self.strengths.nothing
        start, end = self.sigmas
        return end <= float(options["sigmas"][0]) <= start

    def around_unet(
        self, executor: Any, x: Tensor, timesteps: Tensor, *args: Any, **kw: Any
    ) -> Any:
        """Precondition what the UNet predicts by the prior over the latents."""
        predicted = executor(x, timesteps, *args, **kw)
        options = kw.get("transformer_options") or (args[3] if len(args) > 3 else {})
        prior = None if self.condition is None else self.condition.latent_prior
        if self.tag not in options or prior is None or not self.strengths.prior:
            return predicted
        prior = self.prior_rows(prior, x, options)
        velocity = precondition_velocity(predicted, x, timesteps, prior)
        share = self.strengths.prior * self.area(x, options)
        if isinstance(share, float) and share == 1.0:
            return velocity
        return predicted + share * (velocity - predicted)

    @torch.no_grad()
    def prepare(self, size: tuple[int, int], branches: Sequence[Branch] | None) -> None:
        """Compute the condition for latents of this height and width."""
        own = (FULL,) if self.strengths.everywhere else (FULL, NONE)
        self.forget()
        self.branches = tuple(branches or own)
        self.condition = self.make(size, self.branches, self.transfer.on_device())

    def forget(self, patcher: Any = None) -> None:
        """Drop everything that was computed for a run."""
        self.condition, self.key_values, self.cached = None, None, {}

    def once(self, key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        """Compute what stays the same over the steps of a run on first use."""
        if key not in self.cached:
            self.cached[key] = compute()
        return self.cached[key]

    def numbers(self, x: Tensor, options: dict[str, Any]) -> tuple[int, ...]:
        """Number the row of the condition that each row of the batch takes.

        `cond_or_uncond` counts conditionings: 0 the first, here the positive one. Packs that couple
        prompts enlarge the batch of attentions under a key of their own.
        """
        coupled = options.get("cond_or_uncond_hook_couple") if x.ndim == 3 else None
        kinds = coupled or options["cond_or_uncond"]
        count = len(self.condition.c_id) // len(self.branches)
        last = len(self.branches) - 1
        each = range(len(x) // len(kinds))
        return tuple(min(kind, last) * count + row % count for kind in kinds for row in each)

    def rows(self, x: Tensor, options: dict[str, Any]) -> Tensor:
        """Give `numbers` as an index."""
        numbers = self.numbers(x, options)
        key = ("rows", numbers, x.device)
        return self.once(key, lambda: torch.tensor(numbers, device=x.device))

    def keys_and_values(self, x: Tensor, options: dict[str, Any]) -> KeyValues:
        """Give the keys and values of each row of the batch."""
        key = ("keys and values", self.numbers(x, options))
        return self.once(key, lambda: self.key_values.rows(self.rows(x, options)))

    def residual(self, level: int, h: Tensor, options: dict[str, Any]) -> Tensor:
        """Give a level's residual for each row of the batch, at the size of what it is added to."""
        size = tuple(h.shape[-2:])
        residuals = self.condition.residuals[level]
        return self.once(
            ("residual", level, self.numbers(h, options), size, h.dtype),
            lambda: resized(residuals[self.rows(h, options)], size).to(h.dtype),
        )

    def prior_rows(self, prior: LatentPrior, x: Tensor, options: dict[str, Any]) -> LatentPrior:
        """Give the prior for each row of the batch, at the size of the latents."""
        size = tuple(x.shape[-2:])
        rows = self.rows(x, options)
        return self.once(
            ("latent prior", self.numbers(x, options), size),
            lambda: prior.map_tensors(lambda tensor: resized(tensor[rows], size)),
        )

    def area(self, x: Tensor, options: dict[str, Any]) -> float | Tensor:
        """Give the mask at the size of what is added to: tokens or a map."""
        if self.mask is None:
            return 1.0
        size = tuple(options["activations_shape"][-2:] if x.ndim == 3 else x.shape[-2:])
        numbers = self.numbers(x, options)

        def stretched() -> Tensor:
            mask = F.interpolate(self.mask[:, None].to(x), size=size, mode="area")
            if len(mask) > 1:
                mask = mask[self.rows(x, options) % len(mask)]
            return mask.flatten(2).mT if x.ndim == 3 else mask

        return self.once(("area", numbers, size, x.ndim, x.dtype), stretched)

    def models(self) -> list[comfy.model_patcher.ModelPatcher]:
        """Name what the host must load together with the UNet."""
        return [self.transfer.patcher]

    def __deepcopy__(self, memo: dict[int, Any]) -> "ControlPatch":
        """Stay one: hosts before February 2026 deep-copy patches with every clone."""
        return self


def resized(values: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize maps where a sampler works on another size than was prepared."""
    if tuple(values.shape[-2:]) == size:
        return values
    return F.interpolate(values, size=size, mode="bilinear", antialias=True)
