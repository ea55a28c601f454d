"""The residual block of convolutions that the encoder and the 2D prior are made of."""

from typing import TypeVar

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

GROUPS = 8
Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


class ResidualBlock(nn.Module):
    """Two normalised 3x3 convolutions beside the identity, which is all it is at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(GROUPS, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second_norm = nn.GroupNorm(GROUPS, channels)
        self.second = zeroed(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return `x + conv(silu(norm(conv(silu(norm(x))))))`."""
        hidden = self.first(F.silu(self.first_norm(x)))
        return x + self.second(F.silu(self.second_norm(hidden)))


def zeroed(layer: Layer) -> Layer:
    """Make a layer that adds nothing until it is trained."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
