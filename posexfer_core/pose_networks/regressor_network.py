"""An HMR-style regressor: pose, shape and a weak camera from one image of a person.

Each joint has an attention map over the image's cells (as in PARE, arXiv:2104.08527): the map's
mean is the joint's position in the image, the features that it pools feed the joint's rotation.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..conventions import BETA_COUNT, JOINT_COUNT
from ..errors import ConfigError
from ..geometry.rotations import rotation_6d_to_matrix

GROUPS = 8
STRIDE = 8
"""Pixels of the image per cell of an attention map."""
IDENTITY_6D = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
UPRIGHT_6D = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Root of a body that stands and faces the camera (y up to y down)."""


@dataclass(frozen=True, kw_only=True)
class BodyRegressorConfig:
    """Sizes of the network."""

    height: int = 128
    """Of the input image, pixels."""
    width: int = 88
    """Of the input image, pixels."""
    channels: tuple[int, int, int] = (32, 64, 128)
    """At a quarter, an eighth and a sixteenth of the image's size."""
    blocks: tuple[int, int, int] = (1, 2, 2)
    """Residual blocks at each of these."""
    looks: int = 16
    """Features that each joint pools by its attention map."""
    hidden: int = 384
    """Width of the layers from pooled features to the body."""

    def __post_init__(self) -> None:
        """Refuse sizes that the strides, groups or stages rule out."""
        if min(self.height, self.width) < 32 or self.height % STRIDE or self.width % STRIDE:
            raise ConfigError(
                f"The image is {self.height} x {self.width} pixels; expected multiples of "
                f"{STRIDE}, at least 32."
            )
        if len(self.channels) != 3 or any(c < 1 or c % GROUPS for c in self.channels):
            raise ConfigError(f"channels are {self.channels}, expected three multiples of 8.")
        if len(self.blocks) != 3 or min(self.blocks) < 1 or min(self.looks, self.hidden) < 1:
            raise ConfigError("blocks must be three counts; these, looks and hidden at least 1.")


@dataclass(frozen=True, kw_only=True)
class RegressorOutput:
    """Bodies of a batch of images."""

    rotations: Float[Tensor, "batch 24 3 3"]
    """Relative to the parent; the root's relative to the camera."""
    betas: Float[Tensor, "batch 10"]
    camera: Float[Tensor, "batch 3"]
    """Pelvis in NDC of the image (two numbers) and the log of NDC heights per metre there."""
    joints_ndc: Float[Tensor, "batch 24 2"]
    """Mean of each joint's attention map, NDC."""
    maps: Float[Tensor, "batch 24 rows columns"]
    """Logarithm of each joint's attention over the cells."""
    joints: Float[Tensor, "batch 24 3"]
    """Each joint from the pelvis, metres, camera frame; an output beside the rotations."""


class BodyRegressor(nn.Module):
    """Convolutions at three scales, an attention map for each joint, an MLP over all joints."""

    start: Tensor

    def __init__(self, config: BodyRegressorConfig) -> None:
        super().__init__()
        self.config = config
        fine, middle, coarse = config.channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, fine // 2, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(fine // 2, fine, 3, stride=2, padding=1),
        )
        self.fine = _blocks(fine, config.blocks[0])
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.middle = _blocks(middle, config.blocks[1])
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.coarse = _blocks(coarse, config.blocks[2])
        self.back = nn.Conv2d(coarse, coarse, 1)
        self.across = nn.Conv2d(middle, coarse, 1)
        self.map = nn.Sequential(nn.GroupNorm(GROUPS, coarse), nn.SiLU())
        self.where = nn.Conv2d(coarse, JOINT_COUNT, 1)
        self.look = nn.Conv2d(coarse, JOINT_COUNT * config.looks, 1)
        seen = JOINT_COUNT * (config.looks + 2) + coarse
        self.body = nn.Sequential(
            nn.Linear(seen, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.SiLU(),
        )
        self.sizes = (JOINT_COUNT * 6, BETA_COUNT, 3, JOINT_COUNT * 3)
        self.out = nn.Linear(config.hidden, sum(self.sizes))
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)
        start = torch.tensor([UPRIGHT_6D, *[IDENTITY_6D] * (JOINT_COUNT - 1)])
        self.register_buffer("start", start.flatten(), persistent=False)

    def forward(self, image: Float[Tensor, "batch 3 height width"]) -> RegressorOutput:
        """Regress bodies from images in [-1, 1] of the size in the config."""
        fine = self.fine(self.stem(image))
        middle = self.middle(self.to_middle(fine))
        coarse = self.coarse(self.to_coarse(middle))
        back = F.interpolate(self.back(coarse), size=middle.shape[-2:], mode="nearest")
        seen = self.map(back + self.across(middle))
        maps = self.where(seen).float()
        maps = maps - maps.logsumexp((-2, -1), keepdim=True)
        attention = maps.flatten(2).exp()
        joints_ndc = einsum(
            attention, cell_centres(maps), "batch joints cells, cells axes -> batch joints axes"
        )
        looks = rearrange(
            self.look(seen), "b (joints n) h w -> b joints (h w) n", joints=JOINT_COUNT
        )
        pooled = einsum(
            attention.to(looks.dtype), looks, "b joints cells, b joints cells n -> b joints n"
        )
        whole = F.silu(coarse).mean((-2, -1))
        parts = [pooled.flatten(1), joints_ndc.to(whole.dtype).flatten(1), whole]
        out = self.out(self.body(torch.cat(parts, dim=-1))).float()
        turns, betas, camera, joints = out.split(self.sizes, dim=-1)
        rotations = rearrange(turns + self.start, "b (joints six) -> b joints six", six=6)
        return RegressorOutput(
            rotations=rotation_6d_to_matrix(rotations),
            betas=betas,
            camera=torch.cat([camera[:, :2] + joints_ndc[:, 0], camera[:, 2:]], dim=-1),
            joints_ndc=joints_ndc,
            maps=maps,
            joints=rearrange(joints, "b (joints xyz) -> b joints xyz", xyz=3),
        )


class _Block(nn.Module):
    """Residual block of two 3x3 convolutions; the second starts at zero: the block as identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(self.norm(x)))))


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[_Block(channels) for _ in range(count)])


def cell_centres(maps: Float[Tensor, "*batch rows columns"]) -> Float[Tensor, "cells 2"]:
    """Return the centre of every cell of a map, NDC, row by row."""
    rows, columns = maps.shape[-2:]
    y = (torch.arange(rows, device=maps.device) + 0.5) / rows * 2.0 - 1.0
    x = (torch.arange(columns, device=maps.device) + 0.5) / columns * 2.0 - 1.0
    y, x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=-1)
