"""3D feature lifting: F_2D becomes F_3D; the source body is read from F_Med between them."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..conventions import BETA_COUNT, JOINT_COUNT


class FeatureLifting(nn.Module):
    """Lift tokens of the image (poster, 3D Feature Lifting).

    `F_Med = phi(MLP(F_2D))` and `F_3D = LN(MLP(F_Med))` with phi = SiLU.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp_med = _mlp(width)
        self.mlp_3d = _mlp(width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, f_2d: Float[Tensor, "batch tokens width"]
    ) -> tuple[Float[Tensor, "batch tokens width"], Float[Tensor, "batch tokens width"]]:
        """Return F_Med, which the body is read from, and F_3D, which the image is drawn from."""
        f_med = F.silu(self.mlp_med(f_2d))
        f_3d = self.norm(self.mlp_3d(f_med))
        return f_med, f_3d


def _mlp(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))


class HumanParamHead(nn.Module):
    """Regress the source body's 24 rotations and 10 betas from F_Med.

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
        self, f_med: Float[Tensor, "batch tokens width"]
    ) -> tuple[Float[Tensor, "batch 24 6"], Float[Tensor, "batch 10"]]:
        """Pool the tokens, evenly and by attention, and regress.

        Returns:
            Rotations as two columns each, not yet orthonormal; betas.
        """
        weights = self.attention(f_med).softmax(1)
        pooled = torch.cat([f_med.mean(1), (weights * f_med).sum(1)], -1)
        values = self.out(F.silu(self.hidden(pooled))).float()
        rotations, betas = values.split([JOINT_COUNT * 6, BETA_COUNT], -1)
        return rearrange(rotations, "b (j c) -> b j c", j=JOINT_COUNT), betas
