"""Decoupled cross-attention: identity and pose tokens, each attended to beside the text.

At every cross-attention of the UNet the host computes `Q` and its own `Attn(Q, K_text, V_text)`.
The modules here return what to add to that before the host's output projection:

    s_id W_id Attn(Q, K_id, V_id) + s_pose W_pose Attn(Q + pos(u, v), K_pose, V_pose)

`W_id` and `W_pose` start at zero, so that the first step is the base model, bit for bit. `K_pose`
has `pos` of its points added. Keys and values come from `kv_cache`. With
`config.geometric_logits` the pose's logits have distance and depth in the place of `pos`.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from .config import NetworkConfig
from .geometric_logits import GeometricLogits
from .kv_cache import Rows, SiteKeyValues, TokenKeyValues
from .residual import zeroed
from .sites import AttentionSite

PEAK_LOGIT = 8.0
"""Before training, a query's logit for a point at its own position: a weight of about e^8."""


class TokenAttention(nn.Module):
    """`W Attn(Q, K, V)` over one kind of tokens."""

    def __init__(self, site: AttentionSite, token_width: int) -> None:
        super().__init__()
        self.heads = site.heads
        self.to_key = nn.Linear(token_width, site.channels, bias=False)
        self.to_value = nn.Linear(token_width, site.channels, bias=False)
        self.out = zeroed(nn.Linear(site.channels, site.channels, bias=False))

    def keys_values(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        place: Float[Tensor, "batch tokens channels"] | None = None,
    ) -> tuple[
        Float[Tensor, "batch heads tokens head_width"],
        Float[Tensor, "batch heads tokens head_width"],
    ]:
        """Project tokens to K, with `place` added, and V."""
        key = self.to_key(tokens)
        if place is not None:
            key = key + place
        return self._split(key), self._split(self.to_value(tokens))

    def forward(
        self,
        query: Float[Tensor, "batch queries channels"],
        key: Float[Tensor, "batch heads tokens head_width"],
        value: Float[Tensor, "batch heads tokens head_width"],
    ) -> Float[Tensor, "batch queries channels"]:
        """Return `W softmax(Q K^T / sqrt(d)) V`."""
        attended = F.scaled_dot_product_attention(self._split(query), key, value)
        return self.of_values(attended)

    def of_values(
        self, values: Float[Tensor, "batch heads n head_width"]
    ) -> Float[Tensor, "batch n channels"]:
        """Return `W V`: what queries get that attend to one token each."""
        return self.out(rearrange(values, "b h n d -> b n (h d)").to(self.out.weight.dtype))

    def _split(
        self, values: Float[Tensor, "batch n channels"]
    ) -> Float[Tensor, "batch heads n head_width"]:
        return rearrange(values, "b n (h d) -> b h n d", h=self.heads)


class GeometricTokenAttention(TokenAttention):
    """Attention to points whose logits have distance and depth as more columns of Q and K.

    In float32: the columns cancel to a logit, and half precision would leave its rounding alone.
    """

    def __init__(self, site: AttentionSite, config: NetworkConfig) -> None:
        super().__init__(site, config.token_width)
        self.geometry = GeometricLogits(site, config)
        with torch.no_grad():
            self.to_key.weight.mul_(0.1)  # content says little at first

    def keys_values(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        place: Float[Tensor, "batch tokens 3"] | None = None,
    ) -> tuple[
        Float[Tensor, "batch heads tokens _"], Float[Tensor, "batch heads tokens head_width"]
    ]:
        """Project tokens to K, with the terms of their (u, v, z), and V."""
        key, value = super().keys_values(tokens)
        if place is None:
            place = tokens.new_zeros(*tokens.shape[:2], 3)
        terms = key.shape[-1] ** 0.5 * self.geometry.of_keys(place)
        return torch.cat([key.float(), terms], -1), value.float()

    def forward(
        self,
        query: Float[Tensor, "batch queries channels_and_terms"],
        key: Float[Tensor, "batch heads tokens _"],
        value: Float[Tensor, "batch heads tokens head_width"],
    ) -> Float[Tensor, "batch queries channels"]:
        """Return `W softmax(Q K^T / sqrt(d) + geometry) V`."""
        content, terms = query[..., : -self.geometry.TERMS], query[..., -self.geometry.TERMS :]
        by_head = terms[:, None].expand(-1, self.heads, -1, -1)
        asked = torch.cat([self._split(content), by_head], -1).float()
        width = value.shape[-1]
        # of one width, no kernel has to write the weights down
        padded = F.pad(value, (0, self.geometry.TERMS))
        attended = F.scaled_dot_product_attention(asked, key, padded, scale=width**-0.5)
        return self.of_values(attended[..., :width])


class SitePosition(nn.Module):
    """The learned projection `pos` of Fourier features of (u, v), for queries and keys alike.

    One projection on both sides makes `pos(q) . pos(k)` largest where the two positions meet.
    Before training every head's part of it is orthogonal, so that the product is that of the
    features.
    """

    def __init__(self, site: AttentionSite, features: int) -> None:
        super().__init__()
        self.project = nn.Linear(features, site.channels, bias=False)
        # the product of a position's features with themselves is features / 2, over sqrt(d)
        head_width = site.channels // site.heads
        gain = math.sqrt(PEAK_LOGIT * math.sqrt(head_width) / (0.5 * features))
        for part in self.project.weight.split(head_width):
            nn.init.orthogonal_(part, gain)

    def forward(
        self, features: Float[Tensor, "*batch features"]
    ) -> Float[Tensor, "*batch channels"]:
        """Project features of positions."""
        return self.project(features.to(self.project.weight.dtype))


class DecoupledCrossAttention(nn.Module):
    """Two attentions beside the text's at one site; without 3D control only the first."""

    def __init__(self, site: AttentionSite, config: NetworkConfig, features: int) -> None:
        super().__init__()
        with_pose = config.ablation.control_3d
        self.identity = TokenAttention(site, config.token_width)
        self.pose, self.position = None, None
        if with_pose and config.geometric_logits:
            self.pose = GeometricTokenAttention(site, config)
        elif with_pose:
            self.pose = TokenAttention(site, config.token_width)
            self.position = SitePosition(site, features)

    def keys_values(
        self,
        c_id: Float[Tensor, "batch tokens width"],
        c_pose: Float[Tensor, "batch points width"],
        pose_features: Float[Tensor, "batch points features"],
        attending: tuple[Rows, Rows] = (None, None),
    ) -> SiteKeyValues:
        """Project the tokens, once per image.

        Args:
            c_id: identity tokens.
            c_pose: pose tokens.
            pose_features: Fourier features of the points' (u, v); for geometric logits their
                (u, v, z).
            attending: samples with unequal identity tokens, and with unequal pose tokens.
        """
        by_identity = TokenKeyValues.of(self.identity, c_id, attending=attending[0])
        if self.pose is None:
            return SiteKeyValues(by_identity, None)
        place = pose_features if self.position is None else self.position(pose_features)
        return SiteKeyValues(by_identity, TokenKeyValues.of(self.pose, c_pose, place, attending[1]))

    def forward(
        self,
        query: Float[Tensor, "batch queries channels"],
        kv: SiteKeyValues,
        position: Float[Tensor, "queries _"] | None,
        identity_scale: float | Tensor,
        pose_scale: float | Tensor,
    ) -> Float[Tensor, "batch queries channels"]:
        """Compute what to add before the host's output projection.

        Args:
            query: as the host projected it.
            kv: what `keys_values` returned.
            position: `pos` of the queries, or their geometric terms.
            identity_scale: s_id; a tensor must broadcast over the result.
            pose_scale: s_pose, likewise.
        """
        added = identity_scale * kv.identity.attend(self.identity, query)
        if self.pose is None or kv.pose is None or position is None:
            return added
        if self.position is None:
            asked = torch.cat([query, position.to(query).expand(len(query), -1, -1)], -1)
        else:
            asked = query + position
        return added + pose_scale * kv.pose.attend(self.pose, asked).to(query.dtype)


class JointCrossAttention(nn.Module):
    """The ablation: identity and pose tokens side by side in one attention."""

    def __init__(self, site: AttentionSite, config: NetworkConfig, features: int) -> None:
        super().__init__()
        self.tokens = TokenAttention(site, config.token_width)
        self.position = SitePosition(site, features) if config.ablation.control_3d else None

    def keys_values(
        self,
        c_id: Float[Tensor, "batch tokens width"],
        c_pose: Float[Tensor, "batch points width"],
        pose_features: Float[Tensor, "batch points features"],
        attending: tuple[Rows, Rows] = (None, None),
    ) -> SiteKeyValues:
        """Project the tokens, once per image; all of them count as identity.

        Null tokens of one kind stand beside tokens of the other, so every sample attends.
        """
        place = None
        if self.position is not None:
            place = F.pad(self.position(pose_features), (0, 0, c_id.shape[1], 0))
        tokens = torch.cat([c_id, c_pose], 1)
        return SiteKeyValues(TokenKeyValues.of(self.tokens, tokens, place), None)

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
        asked = query if position is None else query + position
        return 0.5 * (identity_scale + pose_scale) * kv.identity.attend(self.tokens, asked)
