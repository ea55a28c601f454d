"""3D feature lifting: F_2D becomes F_3D, kept honest by having to tell the source body's shape."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..conventions import BETA_COUNT, JOINT_COUNT
from ..geometry.rotations import matrix_to_axis_angle, matrix_to_rotation_6d, rotation_6d_to_matrix


class FeatureLift(nn.Module):
    """Lift tokens of the image into tokens that know of the body (poster, 3D Feature Lifting).

    `F_Med = silu(MLP(F_2D))` and `F_3D = LN(MLP(F_Med))`.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU())
        self.inner_out = nn.Linear(2 * width, width)
        self.outer = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU())
        self.outer_out = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"]
    ) -> tuple[Float[Tensor, "batch tokens width"], Float[Tensor, "batch tokens width"]]:
        """Return F_Med, which the body is read from, and F_3D, which the image is drawn from."""
        middle = F.silu(self.inner_out(self.inner(tokens)))
        return middle, self.norm(self.outer_out(self.outer(middle)))


class HumanParamHead(nn.Module):
    """Read the source body's 24 rotations and 10 betas off F_Med.

    It starts at an upright person in rest pose who faces the camera: every rotation the identity,
    the root half a turn about x, because the camera's y axis points down.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Linear(width, 1, bias=False)
        self.hidden = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, JOINT_COUNT * 6 + BETA_COUNT)
        rest = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).repeat(JOINT_COUNT)
        rest[4] = -1.0
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.copy_(torch.cat([rest, torch.zeros(BETA_COUNT)]))

    def forward(
        self, middle: Float[Tensor, "batch tokens width"]
    ) -> tuple[Float[Tensor, "batch 24 6"], Float[Tensor, "batch 10"]]:
        """Pool the tokens, evenly and by attention, and regress.

        Returns:
            Rotations as two columns each, not yet orthonormal; betas.
        """
        weights = self.attention(middle).softmax(1)
        pooled = torch.cat([middle.mean(1), (weights * middle).sum(1)], -1)
        values = self.out(F.silu(self.hidden(pooled))).float()
        rotations, betas = values.split([JOINT_COUNT * 6, BETA_COUNT], -1)
        return rearrange(rotations, "b (j c) -> b j c", j=JOINT_COUNT), betas


def human_param_loss(
    rotations_6d: Float[Tensor, "batch 24 6"],
    betas: Float[Tensor, "batch 10"],
    target_rotations: Float[Tensor, "batch 24 3 3"],
    target_betas: Float[Tensor, "batch 10"],
    *,
    root_weight: float = 1.0,
    betas_weight: float = 0.1,
) -> Float[Tensor, ""]:
    """Measure L_HPL on 6D rotations, which have no jumps (arXiv:1812.07035).

    The mean squared difference over the 23 body joints, plus the root's and the betas' own, each
    with its weight: a mean over all would drown the root in 23 joints that move less.
    """
    squared = (rotations_6d - matrix_to_rotation_6d(target_rotations)).square()
    shape = (betas - target_betas).square().mean()
    return squared[:, 1:].mean() + root_weight * squared[:, 0].mean() + betas_weight * shape


def human_param_loss_axis_angle(
    rotations_6d: Float[Tensor, "batch 24 6"],
    betas: Float[Tensor, "batch 10"],
    target_pose: Float[Tensor, "batch 24 3"],
    target_betas: Float[Tensor, "batch 10"],
) -> Float[Tensor, ""]:
    """Measure L_HPL as the poster writes it: the L2 norm of (theta, beta) minus its estimate.

    Theta is axis-angle, radians; the mean over the batch of each sample's norm.
    """
    pose = matrix_to_axis_angle(rotation_6d_to_matrix(rotations_6d))
    angles = rearrange(pose - target_pose, "b j c -> b (j c)")
    return torch.cat([angles, betas - target_betas], -1).norm(dim=-1).mean()
