"""3D control guidance: body points ask the lifted source image what is to be seen at them."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..conventions import DEPTH_LIMIT_M
from .config import NetworkConfig
from .fourier import FourierFeatures


class PointEmbedding(nn.Module):
    """Describe a body point by where it is seen, how deep it lies, and where it sits on the body.

    `F_p = F_proj(F_Fourier(u, v, z)) + E(F_Fourier(canonical xyz))`; the second term lets any body
    model and any mesh be used.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.z_mode = config.z_mode
        self.place_features = FourierFeatures(3, config.position_bands)
        self.place = nn.Linear(self.place_features.width, config.token_width)
        self.body_features = FourierFeatures(3, config.canonical_bands)
        self.body = nn.Linear(self.body_features.width, config.token_width)

    def forward(
        self,
        points: Float[Tensor, "batch points 3"],
        points_canonical: Float[Tensor, "batch points 3"],
    ) -> Float[Tensor, "batch points width"]:
        """Embed points (u, v, z) and their canonical positions."""
        uv, z = points[..., :2], self._depth(points[..., 2:])
        place = self.place_features(torch.cat([uv, z / DEPTH_LIMIT_M], -1))
        body = self.body_features(points_canonical)
        dtype = self.place.weight.dtype
        return self.place(place.to(dtype)) + self.body(body.to(dtype))

    def _depth(self, z: Float[Tensor, "batch points 1"]) -> Float[Tensor, "batch points 1"]:
        if self.z_mode == "zero":
            return torch.zeros_like(z)
        if self.z_mode == "shuffle":  # everyone's depth is the next one's
            return z.roll(1, 0)
        return z


class ControlBlock(nn.Module):
    """Cross-attention from points to source tokens, then an MLP; both beside the identity."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.to_query = nn.Linear(width, width, bias=False)
        self.to_key = nn.Linear(width, width, bias=False)
        self.to_value = nn.Linear(width, width, bias=False)
        self.attention_out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self,
        points: Float[Tensor, "batch points width"],
        tokens: Float[Tensor, "batch tokens width"],
    ) -> Float[Tensor, "batch points width"]:
        """Return the points, each richer by what it found in the tokens."""
        query, key, value = (
            rearrange(projected, "b n (h d) -> b h n d", h=self.heads)
            for projected in (
                self.to_query(self.attention_norm(points)),
                self.to_key(tokens),
                self.to_value(tokens),
            )
        )
        found = F.scaled_dot_product_attention(query, key, value)
        points = points + self.attention_out(rearrange(found, "b h n d -> b n (h d)"))
        return points + self.mlp(points)


class ControlGuidance3D(nn.Module):
    """Make pose tokens (poster, 3D Control Guidance).

    `F_Q = phi_Q(F_p)`, `F_K = phi_K(F_3D)`, `F_V = phi_V(F_3D)`, attention, on top of F_p itself so
    that a token keeps its place.
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
        tokens: Float[Tensor, "batch tokens width"],
    ) -> Float[Tensor, "batch points width"]:
        """Compute one pose token for every body point from the identity tokens F_3D."""
        found = self.embedding(points, points_canonical)
        for block in self.blocks:
            found = block(found, tokens)
        return self.norm(found)
