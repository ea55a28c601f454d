"""Decoupled cross-attention: identity and pose tokens, each asked on its own beside the text.

At every cross-attention of the UNet the host computes `Q` and its own `Attn(Q, K_text, V_text)`.
The modules here return what to add to that before the host's output projection:

    s_id W_id Attn(Q, K_id, V_id) + s_pose W_pose Attn(Q + pos(u, v), K_pose, V_pose)

`W_id` and `W_pose` start at zero, so that the first step is the base model, bit for bit. Keys and
values do not depend on the timestep: project them once per picture.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from .config import NetworkConfig
from .residual import zeroed
from .sites import AttentionSite

PEAK_LOGIT = 8.0
"""How much, before anything is learned, a query favours points at its own place: about e^8."""


class SiteKeyValues(NamedTuple):
    """Keys and values of one site, split over heads; no pose where there are no pose tokens."""

    k_id: Float[Tensor, "batch heads tokens head_width"]
    v_id: Float[Tensor, "batch heads tokens head_width"]
    k_pose: Float[Tensor, "batch heads points head_width"] | None
    v_pose: Float[Tensor, "batch heads points head_width"] | None

    def rows(self, index: Tensor) -> "SiteKeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        return SiteKeyValues(
            self.k_id[index],
            self.v_id[index],
            None if self.k_pose is None else self.k_pose[index],
            None if self.v_pose is None else self.v_pose[index],
        )


class TokenBranch(nn.Module):
    """Keys, values and a new output projection for one kind of tokens."""

    def __init__(self, site: AttentionSite, token_width: int) -> None:
        super().__init__()
        self.heads = site.heads
        self.to_key = nn.Linear(token_width, site.channels, bias=False)
        self.to_value = nn.Linear(token_width, site.channels, bias=False)
        self.out = zeroed(nn.Linear(site.channels, site.channels, bias=False))

    def split(
        self, values: Float[Tensor, "batch tokens channels"]
    ) -> Float[Tensor, "batch heads tokens head_width"]:
        """Split channels over heads."""
        return rearrange(values, "b n (h d) -> b h n d", h=self.heads)

    def forward(
        self,
        query: Float[Tensor, "batch queries channels"],
        key: Float[Tensor, "batch heads tokens head_width"],
        value: Float[Tensor, "batch heads tokens head_width"],
    ) -> Float[Tensor, "batch queries channels"]:
        """Attend, and project to what is added before the host's output projection."""
        found = F.scaled_dot_product_attention(self.split(query), key, value)
        return self.out(rearrange(found, "b h n d -> b n (h d)"))


class SitePosition(nn.Module):
    """The learned projection `pos` of Fourier features of (u, v), for queries and keys alike.

    One projection on both sides makes `pos(q) . pos(k)` largest where the two places meet. Before
    training every head's part of it is orthogonal, so that the product is that of the features.
    """

    def __init__(self, site: AttentionSite, features: int) -> None:
        super().__init__()
        self.project = nn.Linear(features, site.channels, bias=False)
        # features of one place, times themselves, are features / 2; attention divides by sqrt(d)
        head_width = site.channels // site.heads
        gain = math.sqrt(PEAK_LOGIT * math.sqrt(head_width) / (0.5 * features))
        for part in self.project.weight.split(head_width):
            nn.init.orthogonal_(part, gain)

    def forward(
        self, features: Float[Tensor, "*batch features"]
    ) -> Float[Tensor, "*batch channels"]:
        """Project features of places."""
        return self.project(features.to(self.project.weight.dtype))


class DecoupledCrossAttention(nn.Module):
    """Two attentions beside the text's at one site; without 3D control only the first."""

    def __init__(self, site: AttentionSite, config: NetworkConfig, features: int) -> None:
        super().__init__()
        self.identity = TokenBranch(site, config.token_width)
        self.pose = TokenBranch(site, config.token_width) if config.control_3d else None
        self.position = SitePosition(site, features) if config.control_3d else None

    def project(
        self,
        identity: Float[Tensor, "batch tokens width"],
        pose: Float[Tensor, "batch points width"],
        pose_features: Float[Tensor, "batch points features"],
    ) -> SiteKeyValues:
        """Compute keys and values, once per picture."""
        own = self.identity
        k_id, v_id = own.split(own.to_key(identity)), own.split(own.to_value(identity))
        if self.pose is None or self.position is None:
            return SiteKeyValues(k_id, v_id, None, None)
        key = self.pose.to_key(pose) + self.position(pose_features)
        return SiteKeyValues(
            k_id, v_id, self.pose.split(key), self.pose.split(self.pose.to_value(pose))
        )

    def forward(
        self,
        query: Float[Tensor, "batch queries channels"],
        kv: SiteKeyValues,
        position: Float[Tensor, "queries channels"] | None,
        identity_scale: float | Tensor,
        pose_scale: float | Tensor,
    ) -> Float[Tensor, "batch queries channels"]:
        """Compute what to add before the host's output projection.

        Args:
            query: as the host projected it.
            kv: what `project` returned.
            position: `pos` of the queries' places.
            identity_scale: strength of the identity; a tensor must broadcast over the result.
            pose_scale: strength of the pose, likewise.
        """
        added = identity_scale * self.identity(query, kv.k_id, kv.v_id)
        if self.pose is None or kv.k_pose is None or kv.v_pose is None or position is None:
            return added
        return added + pose_scale * self.pose(query + position, kv.k_pose, kv.v_pose)


class JointCrossAttention(nn.Module):
    """The ablation: identity and pose tokens side by side in one attention."""

    def __init__(self, site: AttentionSite, config: NetworkConfig, features: int) -> None:
        super().__init__()
        self.tokens = TokenBranch(site, config.token_width)
        self.position = SitePosition(site, features) if config.control_3d else None

    def project(
        self,
        identity: Float[Tensor, "batch tokens width"],
        pose: Float[Tensor, "batch points width"],
        pose_features: Float[Tensor, "batch points features"],
    ) -> SiteKeyValues:
        """Compute keys and values, once per picture; all of them count as identity."""
        tokens = torch.cat([identity, pose], 1)
        key, value = self.tokens.to_key(tokens), self.tokens.to_value(tokens)
        if self.position is not None:
            place = self.position(pose_features)
            key = key + F.pad(place, (0, 0, identity.shape[1], 0))
        return SiteKeyValues(self.tokens.split(key), self.tokens.split(value), None, None)

    def forward(
        self,
        query: Float[Tensor, "batch queries channels"],
        kv: SiteKeyValues,
        position: Float[Tensor, "queries channels"] | None,
        identity_scale: float | Tensor,
        pose_scale: float | Tensor,
    ) -> Float[Tensor, "batch queries channels"]:
        """Compute what to add before the host's output projection.

        One attention has one strength: the mean of the two scales.
        """
        if position is not None:
            query = query + position
        return 0.5 * (identity_scale + pose_scale) * self.tokens(query, kv.k_id, kv.v_id)
