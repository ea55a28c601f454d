"""A small network that lifts the keypoints of an image into space, and says how sure it is.

One image leaves open how far a limb leans towards the camera; what poses people take does not. A
network over the keypoints alone (Martinez et al., arXiv:1705.03098) knows nothing of clothes and
light, so that it may be trained on poses that were never rendered.
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
from .sizes import Sizes

POINTS = COCO17 + FEET6
"""The keypoints that it takes and gives."""
INPUTS = 3 * len(POINTS) + 3
SPREADS_M = (1e-3, 1.0)
"""Smallest and largest spread that it may name."""
START_SPREAD = -2.5
"""Logarithm of the spread, metres, that training starts from."""


@dataclass(frozen=True, kw_only=True)
class LiftConfig(Sizes):
    """Sizes of the network."""

    of = "lifter"
    hidden: int = 240
    """Width of its layers."""
    blocks: int = 2
    """Residual blocks of two layers each."""

    def __post_init__(self) -> None:
        """Refuse sizes that make no network."""
        if min(self.hidden, self.blocks) < 1:
            raise ConfigError(
                f"hidden={self.hidden} and blocks={self.blocks} of a lifter must be at least 1."
            )


class Lifted(NamedTuple):
    """Where keypoints lie in space."""

    places: Float[Tensor, "batch 23 3"]
    """Metres, axes of the camera, about their own mean."""
    spreads: Float[Tensor, "batch 23"]
    """Scale of each one's Laplace distribution, metres: a third of the mean distance that it is
    off, half of the standard deviation along an axis."""


class LiftNetwork(nn.Module):
    """Keypoints to places in space."""

    def __init__(self, config: LiftConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.first = nn.Linear(INPUTS, hidden)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden),
                nn.Linear(hidden, hidden),
                nn.GELU(),
                nn.Linear(hidden, hidden),
            )
            for _ in range(config.blocks)
        )
        self.last = nn.Linear(hidden, 4 * len(POINTS))

    def forward(self, sight: Float[Tensor, "batch 72"]) -> Lifted:
        """Lift what `lift_inputs` laid out."""
        state = self.first(sight)
        for block in self.blocks:
            state = state + block(state)
        out = rearrange(
            self.last(F.gelu(state)), "batch (points xyzs) -> batch points xyzs", xyzs=4
        )
        places = 0.5 * out[..., :3]
        low, high = SPREADS_M
        spreads = (out[..., 3] + START_SPREAD).exp().clamp(low, high)
        return Lifted(places - places.mean(1, keepdim=True), spreads)


def lift_inputs(
    rays: Float[Tensor, "batch 23 2"], seen: Bool[Tensor, "batch 23"]
) -> Float[Tensor, "batch 72"]:
    """Lay out a sight for the network: keypoints about their middle, in shares of their extent.

    Where the middle lies and how large the extent is follows, since perspective depends on both.

    Args:
        rays: keypoints as `(x, y)` of the ray `(x, y, 1)`: pixels from the centre over the focal
            length.
        seen: which of them are; the others count for nothing.
    """
    shown = seen[..., None]
    middle = (rays * shown).sum(1) / shown.sum(1).clamp_min(1)
    high = rays.masked_fill(~shown, -torch.inf).amax(1)
    low = rays.masked_fill(~shown, torch.inf).amin(1)
    extent = (high - low).amax(1, keepdim=True).clamp_min(1e-6)
    placed = 2.0 * (rays - middle[:, None]) / extent[:, None] * shown
    return torch.cat([placed.flatten(1), 2.0 * seen - 1.0, 2.0 * middle, extent.log()], 1)
