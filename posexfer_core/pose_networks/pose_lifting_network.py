"""A residual MLP that lifts 2D keypoints into space, with an uncertainty for each.

The architecture is that of Martinez et al. (arXiv:1705.03098). It takes keypoints alone, so it is
trained on poses without rendering any.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ..errors import ConfigError
from ..keypoints.layouts import COCO17, FEET6

LIFTED_NAMES = COCO17 + FEET6
"""The keypoints of its input and output, in order."""
INPUT_WIDTH = 3 * len(LIFTED_NAMES) + 3
SCALES_M = (1e-3, 1.0)
"""Smallest and largest scale of its output, metres."""
INITIAL_LOG_SCALE = -2.5
"""Logarithm of the scale, metres, where the last layer gives zero."""


@dataclass(frozen=True, kw_only=True)
class PoseLifterConfig:
    """Sizes of the network."""

    hidden: int = 240
    """Width of its layers."""
    blocks: int = 2
    """Residual blocks of two layers each."""

    def __post_init__(self) -> None:
        """Refuse sizes below 1."""
        if min(self.hidden, self.blocks) < 1:
            raise ConfigError(
                f"hidden={self.hidden} and blocks={self.blocks} of a lifter must be at least 1."
            )


class LiftedKeypoints(NamedTuple):
    """Keypoints in space."""

    xyz: Float[Tensor, "batch 23 3"]
    """Metres, axes of the camera, about their own mean."""
    scales: Float[Tensor, "batch 23"]
    """Scale `s` of each one's Laplace distribution `exp(-d / s)` in space, metres: a third of its
    mean distance `d`, half of the standard deviation along an axis."""


class PoseLifter(nn.Module):
    """2D keypoints to keypoints in space."""

    def __init__(self, config: PoseLifterConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.first = nn.Linear(INPUT_WIDTH, hidden)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden),
                nn.Linear(hidden, hidden),
                nn.GELU(),
                nn.Linear(hidden, hidden),
            )
            for _ in range(config.blocks)
        )
        self.last = nn.Linear(hidden, 4 * len(LIFTED_NAMES))

    def forward(self, inputs: Float[Tensor, "batch 72"]) -> LiftedKeypoints:
        """Lift the inputs that `lifter_inputs` returns."""
        state = self.first(inputs)
        for block in self.blocks:
            state = state + block(state)
        out = rearrange(
            self.last(F.gelu(state)), "batch (points xyzs) -> batch points xyzs", xyzs=4
        )
        xyz = 0.5 * out[..., :3]
        scales = (out[..., 3] + INITIAL_LOG_SCALE).exp().clamp(*SCALES_M)
        return LiftedKeypoints(xyz - xyz.mean(1, keepdim=True), scales)


def lifter_inputs(
    rays: Float[Tensor, "batch 23 2"], seen: Bool[Tensor, "batch 23"]
) -> Float[Tensor, "batch 72"]:
    """Normalise keypoints: about the mean of those seen, in units of half their extent.

    The mean and the logarithm of the extent are inputs too, since perspective depends on both.

    Args:
        rays: keypoints as `(x, y)` of the ray `(x, y, 1)`: pixels from the centre over the focal
            length.
        seen: which of them are seen; the others are zeroed.
    """
    shown = seen[..., None]
    mean = (rays * shown).sum(1) / shown.sum(1).clamp_min(1)
    high = rays.masked_fill(~shown, -torch.inf).amax(1)
    low = rays.masked_fill(~shown, torch.inf).amin(1)
    extent = (high - low).amax(1, keepdim=True).clamp_min(1e-6)
    placed = 2.0 * (rays - mean[:, None]) / extent[:, None] * shown
    return torch.cat([placed.flatten(1), 2.0 * seen - 1.0, 2.0 * mean, extent.log()], 1)
