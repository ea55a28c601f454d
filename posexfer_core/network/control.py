"""3D control guidance: cross-attention from body points to source tokens."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..conventions import DEPTH_LIMIT_M
from .config import NetworkConfig
from .fourier import FourierFeatures


class PointEmbedding(nn.Module):
    """Embed a body point p = (u, v, z) and its place on the rest body.

    `F_p = F_proj(F_Fourier(p)) + E(F_Fourier(canonical xyz))`; the second term is ours, so that
    any body model and any mesh may be used.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.z_mode = config.ablation.z_mode
        self.f_fourier = FourierFeatures(3, config.position_bands)
        self.f_proj = nn.Linear(self.f_fourier.width, config.token_width)
        self.canonical_fourier = FourierFeatures(3, config.canonical_bands)
        self.canonical_proj = nn.Linear(self.canonical_fourier.width, config.token_width)

    def forward(
        self,
        points: Float[Tensor, "batch points 3"],
        points_canonical: Float[Tensor, "batch points 3"],
    ) -> Float[Tensor, "batch points width"]:
        """Return F_p."""
        uv, z = points[..., :2], self._depth(points[..., 2:])
        place = self.f_fourier(torch.cat([uv, z / DEPTH_LIMIT_M], -1))
        canonical = self.canonical_fourier(points_canonical)
        dtype = self.f_proj.weight.dtype
        return self.f_proj(place.to(dtype)) + self.canonical_proj(canonical.to(dtype))

    def _depth(self, z: Float[Tensor, "batch points 1"]) -> Float[Tensor, "batch points 1"]:
        if self.z_mode == "zero":
            return torch.zeros_like(z)
        if self.z_mode == "shuffle":  # everyone's depth is the next one's
            return z.roll(1, 0)
        return z


class ControlBlock(nn.Module):
    """Cross-attention from points to source tokens, then an MLP; both residual.

    `F_Q = phi_Q(F_p)`, `F_K = phi_K(F_3D)`, `F_V = phi_V(F_3D)` and
    `F_Attn = softmax(F_Q F_K^T / sqrt(d)) F_V`, in heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.phi_q = nn.Linear(width, width, bias=False)
        self.phi_k = nn.Linear(width, width, bias=False)
        self.phi_v = nn.Linear(width, width, bias=False)
        self.attention_out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self,
        f_p: Float[Tensor, "batch points width"],
        f_3d: Float[Tensor, "batch tokens width"],
    ) -> Float[Tensor, "batch points width"]:
        """Return the points with what the tokens add to them."""
        f_q = self._split(self.phi_q(self.attention_norm(f_p)))
        f_k, f_v = self._split(self.phi_k(f_3d)), self._split(self.phi_v(f_3d))
        f_attn = F.scaled_dot_product_attention(f_q, f_k, f_v)
        f_p = f_p + self.attention_out(rearrange(f_attn, "b h n d -> b n (h d)"))
        return f_p + self.mlp(f_p)

    def _split(
        self, values: Float[Tensor, "batch n width"]
    ) -> Float[Tensor, "batch heads n head_width"]:
        return rearrange(values, "b n (h d) -> b h n d", h=self.heads)


class ControlGuidance3D(nn.Module):
    """Make pose tokens (poster, 3D Control Guidance).

    The attention is residual on F_p, so that a token keeps its place.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.embedding = PointEmbedding(config)
        self.blocks = nn.ModuleList(
            ControlBlock(config.token_width, config.control_heads)
            for _ in range(config.control_blocks)
        )
        self.norm = nn.LayerNorm(config.token_width)

    def forward(
        self,
        points: Float[Tensor, "batch points 3"],
        points_canonical: Float[Tensor, "batch points 3"],
        f_3d: Float[Tensor, "batch tokens width"],
    ) -> Float[Tensor, "batch points width"]:
        """Compute one pose token for every body point."""
        f_p = self.embedding(points, points_canonical)
        for block in self.blocks:
            f_p = block(f_p, f_3d)
        return self.norm(f_p)
