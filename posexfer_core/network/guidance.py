"""Classifier-free guidance by pose and by identity: the passes, their weights, their conditions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from ..errors import ConfigError
from .condition import Condition, ConditionInputs, Dropout
from .config import NetworkConfig
from .model import PoseTransferNetwork


class Branch(NamedTuple):
    """Which conditions one pass of the UNet is given."""

    keep_identity: bool
    keep_pose: bool


NONE = Branch(keep_identity=False, keep_pose=False)
POSE = Branch(keep_identity=False, keep_pose=True)
FULL = Branch(keep_identity=True, keep_pose=True)


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """How far the prediction is pushed towards the pose and towards the person.

    With predictions e_none, e_pose and e_full, in whatever the UNet predicts (noise or v, the
    formula is linear):

        three passes: e_none + pose (e_pose - e_none) + identity (e_full - e_pose)
        two passes:   e_none + identity (e_full - e_none)
    """

    pose: float | int = 1.0
    """Scale of the pose; 1 is no guidance. Two passes have one scale and do not read this."""
    identity: float | int = 1.0
    """Scale of the identity, or of everything in two passes; 1 is no guidance."""
    mode: Literal["three", "two"] = "three"
    """How many passes each step may cost."""

    def __post_init__(self) -> None:
        """Refuse a mode that does not exist and scales that are not numbers."""
        if self.mode not in ("three", "two"):
            raise ConfigError(f"Guidance mode is {self.mode!r}; use 'three' or 'two' (passes).")
        for name, scale in (("pose", self.pose), ("identity", self.identity)):
            if not 0.0 <= scale < float("inf"):
                raise ConfigError(f"Guidance by {name} is {scale}; use a number from 0 up.")

    @classmethod
    def usual(
        cls, config: NetworkConfig, *, pose: float | None = None, identity: float | None = None
    ) -> "Guidance":
        """Take the scales that suit a network, but for those that are given."""
        return cls(
            pose=config.sampling.guidance_pose if pose is None else pose,
            identity=config.sampling.guidance_identity if identity is None else identity,
        )

    @property
    def weights(self) -> dict[Branch, float]:
        """The same formula as a weighted sum; a pass that would weigh nothing is left out.

        `Guidance(pose=1, identity=1)` is one pass, and three passes of equal scales are two.
        """
        pose = self.pose if self.mode == "three" else self.identity
        weights = {NONE: 1.0 - pose, POSE: float(pose - self.identity), FULL: float(self.identity)}
        return {branch: weight for branch, weight in weights.items() if weight != 0.0}

    def combine(self, predictions: Sequence[Tensor]) -> Tensor:
        """Weigh the predictions of the passes, in the order of `weights`."""
        weighed = [w * one for w, one in zip(self.weights.values(), predictions, strict=True)]
        return torch.stack(weighed).sum(0)


def stacked_condition(
    network: PoseTransferNetwork,
    inputs: ConditionInputs,
    branches: Iterable[Branch],
    *,
    keep_maps: Mapping[str, bool] | None = None,
) -> Condition:
    """Compute the conditions of some passes as one, branch after branch along the batch.

    Args:
        network: computes the condition.
        inputs: of the images to draw, each once.
        branches: such as the `weights` of a guidance.
        keep_maps: maps to leave out (False) in every pass; what is not named is kept.
    """
    branches, count = tuple(branches), len(inputs.image)
    stacked = inputs.map_tensors(lambda values: torch.cat([values] * len(branches)))

    def per_sample(values: list[bool]) -> Bool[Tensor, "stacked"]:
        return torch.tensor(values, device=inputs.image.device).repeat_interleave(count)

    dropout = Dropout(
        keep_identity=per_sample([branch.keep_identity for branch in branches]),
        keep_pose=per_sample([branch.keep_pose for branch in branches]),
        keep_maps={
            name: per_sample([keep] * len(branches)) for name, keep in (keep_maps or {}).items()
        },
    )
    return network.condition(stacked, dropout)
