"""3D control guidance: cross-attention from body points to source tokens; and one body token."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..conventions import DEPTH_LIMIT_M
from ..errors import ConfigError
from .condition import ConditionInputs
from .config import BODY_VECTOR, NetworkConfig
from .encoder import BodyPlaces
from .fourier import FourierFeatures

OWN_PLACE_LOGIT = 12.0
"""Before training, a point's logit for a token that shows its own place on the rest body."""


class PointEmbedding(nn.Module):
    """Embed a body point p = (u, v, z) and its place on the rest body.

    `F_p = F_proj(F_Fourier(p)) + E(F_Fourier(canonical xyz))`; the second term is ours, so that
    any body model and any mesh may be used.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.f_fourier = FourierFeatures(3, config.position_bands)
        self.f_proj = nn.Linear(self.f_fourier.width, config.token_width)
        self.canonical_fourier = FourierFeatures(3, config.canonical_bands)
        self.canonical_proj = nn.Linear(self.canonical_fourier.width, config.token_width)
        self.normal_proj = (
            nn.Linear(3, config.token_width, bias=False) if config.point_normals else None
        )

    def forward(
        self,
        points: Float[Tensor, "batch points 3"],
        canonical: Float[Tensor, "batch points features"],
        normals: Float[Tensor, "batch points 3"] | None,
    ) -> Float[Tensor, "batch points width"]:
        """Return F_p; `canonical` are Fourier features of the places on the rest body."""
        uv, z = points[..., :2], points[..., 2:]
        place = self.f_fourier(torch.cat([uv, z / DEPTH_LIMIT_M], -1))
        dtype = self.f_proj.weight.dtype
        f_p = self.f_proj(place.to(dtype)) + self.canonical_proj(canonical.to(dtype))
        if self.normal_proj is None:
            return f_p
        if normals is None:
            raise ConfigError(
                "This network embeds the normals of body points (point_normals), and the inputs "
                "have none. Give ConditionInputs.normals, one unit vector a point."
            )
        return f_p + self.normal_proj(normals.to(dtype))


class RestCorrespondence(nn.Module):
    """The learned projection of places on the rest body, for points and source tokens alike.

    Before training every head's part is orthogonal: the logit is the product of the Fourier
    features, largest where a token shows the point's own place.
    """

    def __init__(self, features: int, width: int, heads: int) -> None:
        super().__init__()
        self.project = nn.Linear(features, width, bias=False)
        # the product of a place's features with themselves is features / 2, over sqrt(d)
        gain = math.sqrt(OWN_PLACE_LOGIT * math.sqrt(width // heads) / (0.5 * features))
        for part in self.project.weight.split(width // heads):
            nn.init.orthogonal_(part, gain)

    def forward(
        self, features: Float[Tensor, "batch n features"]
    ) -> Float[Tensor, "batch n width"]:
        """Project the Fourier features of places."""
        return self.project(features.to(self.project.weight.dtype))


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
        places: tuple[Tensor, Tensor] | None = None,
    ) -> Float[Tensor, "batch points width"]:
        """Return the points with what the tokens add to them.

        Args:
            f_p: points.
            f_3d: source tokens.
            places: of points and of tokens on the rest body, projected; added to Q and K.
        """
        f_q, f_k = self.phi_q(self.attention_norm(f_p)), self.phi_k(f_3d)
        if places is not None:
            f_q, f_k = f_q + places[0], f_k + places[1]
        f_q, f_k, f_v = self._split(f_q), self._split(f_k), self._split(self.phi_v(f_3d))
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
        self.correspondence = None
        if config.rest_correspondence:
            self.correspondence = RestCorrespondence(
                self.embedding.canonical_fourier.width, config.token_width, config.control_heads
            )
            first = self.blocks[0]
            assert isinstance(first, ControlBlock)
            with torch.no_grad():  # content says little at first
                first.phi_q.weight.mul_(0.1)
                first.phi_k.weight.mul_(0.1)

    def forward(
        self,
        inputs: ConditionInputs,
        f_3d: Float[Tensor, "batch tokens width"],
        shown: BodyPlaces,
    ) -> Float[Tensor, "batch points width"]:
        """Compute one pose token for every body point.

        Args:
            inputs: the points.
            f_3d: source tokens.
            shown: what of the source's body each of them shows.
        """
        fourier = self.embedding.canonical_fourier
        canonical = fourier(inputs.points_canonical)
        f_p = self.embedding(inputs.points, canonical, inputs.normals)
        places = None
        if self.correspondence is not None:
            of_tokens = self.correspondence(fourier(shown.canonical))
            places = self.correspondence(canonical), shown.share.to(of_tokens) * of_tokens
        for block in self.blocks:
            f_p = block(f_p, f_3d, places)
            places = None
        return self.norm(f_p)


class BodyVectorToken(nn.Module):
    """One pose token of the body's parameters as they are: the ablation without points.

    As in UPGPT (arXiv:2304.08870), where the vector of SMPL is one more token of the context.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.token_width
        self.embed = nn.Sequential(
            nn.Linear(BODY_VECTOR, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )
        self.norm = nn.LayerNorm(width)

    def forward(
        self, inputs: ConditionInputs, f_3d: Float[Tensor, "batch tokens width"], shown: BodyPlaces
    ) -> Float[Tensor, "batch 1 width"]:
        """Compute the token; the other arguments are those of points."""
        if inputs.body_vector is None:
            raise ConfigError(
                "This network is conditioned on the body's parameters (pose_from='vector'), and "
                "the inputs have none. Give ConditionInputs.body_vector."
            )
        return self.norm(self.embed(inputs.body_vector.to(f_3d.dtype)))[:, None]


def make_control(config: NetworkConfig) -> ControlGuidance3D | BodyVectorToken:
    """Build what makes the pose tokens."""
    return BodyVectorToken(config) if config.pose_from == "vector" else ControlGuidance3D(config)
