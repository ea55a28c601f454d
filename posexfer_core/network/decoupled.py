"""Decoupled cross-attention: identity and pose tokens, each asked on its own beside the text.

At every cross-attention of the UNet the host computes `Q` and its own `Attn(Q, K_text, V_text)`.
The modules here return what to add to that before the host's output projection:

    s_id W_id Attn(Q, K_id, V_id) + s_pose W_pose Attn(Q + pos(u, v), K_pose, V_pose)

`W_id` and `W_pose` start at zero, so that the first step is the base model, bit for bit. Keys and
values do not depend on the timestep: project them once per image.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from .config import NetworkConfig
from .residual import zeroed
from .sites import AttentionSite

PEAK_LOGIT = 8.0
"""How much, before anything is learned, a query favours points at its own place: about e^8."""
Rows = Int[Tensor, "_"] | None
"""Samples of a batch that attend, by number, rising; None: all of them."""


class TokenKeyValues(NamedTuple):
    """Keys and values of one kind of tokens at one site, split over heads.

    Where all tokens of an image are the same, as null tokens are, attention returns their value
    whatever is asked. Such images have no keys here; what they get is computed beforehand.
    """

    key: Float[Tensor, "attending heads tokens head_width"]
    value: Float[Tensor, "attending heads tokens head_width"]
    attending: Rows = None
    """Rows of the batch that the keys and values are of."""
    constant: Float[Tensor, "batch 1 channels"] | None = None
    """What the other rows get, after the output projection."""

    def rows(self, index: Tensor) -> "TokenKeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        if self.attending is None or self.constant is None:
            return TokenKeyValues(self.key[index], self.value[index])
        picked, place = (index[:, None] == self.attending).nonzero(as_tuple=True)
        return TokenKeyValues(self.key[place], self.value[place], picked, self.constant[index])


class SiteKeyValues(NamedTuple):
    """Keys and values of one site; no pose where there are no pose tokens."""

    identity: TokenKeyValues
    pose: TokenKeyValues | None

    def rows(self, index: Tensor) -> "SiteKeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        return SiteKeyValues(
            self.identity.rows(index), None if self.pose is None else self.pose.rows(index)
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

    def project(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        place: Float[Tensor, "batch tokens channels"] | None = None,
        attending: Rows = None,
    ) -> TokenKeyValues:
        """Compute keys and values.

        Args:
            tokens: of every image.
            place: added to their keys.
            attending: see `TokenKeyValues`; in the other rows, tokens and places are all the same.
        """
        constant = None
        if attending is not None:
            constant = self.out(self.to_value(tokens[:, :1]))
            tokens, place = tokens[attending], None if place is None else place[attending]
        key = self.to_key(tokens)
        if place is not None:
            key = key + place
        return TokenKeyValues(
            self.split(key), self.split(self.to_value(tokens)), attending, constant
        )

    def forward(
        self,
        query: Float[Tensor, "batch queries channels"],
        kv: TokenKeyValues,
        position: Float[Tensor, "queries channels"] | None = None,
    ) -> Float[Tensor, "batch queries channels"]:
        """Attend, and project to what is added before the host's output projection.

        Args:
            query: as the host projected it.
            kv: what `project` returned.
            position: added to every query.
        """
        asked = query if kv.attending is None else query[kv.attending]
        if position is not None:
            asked = asked + position
        found = F.scaled_dot_product_attention(self.split(asked), kv.key, kv.value)
        found = self.out(rearrange(found, "b h n d -> b n (h d)"))
        if kv.attending is None or kv.constant is None:
            return found
        return kv.constant.expand_as(query).index_copy(0, kv.attending, found)


def attending_rows(*tokens: Float[Tensor, "batch tokens _"]) -> Rows:
    """Find the samples whose tokens are not all the same; None where that is every sample."""
    varied = torch.stack([(each != each[:, :1]).any(2).any(1) for each in tokens]).any(0)
    return None if varied.all() else varied.nonzero()[:, 0]


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
        attending: tuple[Rows, Rows] = (None, None),
    ) -> SiteKeyValues:
        """Compute keys and values, once per image.

        Args:
            identity: tokens of how the person looks.
            pose: tokens of the body's points.
            pose_features: Fourier features of their places.
            attending: rows of the batch whose identity, and whose pose, is more than one token
                again and again; None for all.
        """
        by_identity = self.identity.project(identity, attending=attending[0])
        if self.pose is None or self.position is None:
            return SiteKeyValues(by_identity, None)
        place = self.position(pose_features)
        return SiteKeyValues(by_identity, self.pose.project(pose, place, attending[1]))

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
        added = identity_scale * self.identity(query, kv.identity)
        if self.pose is None or kv.pose is None:
            return added
        return added + pose_scale * self.pose(query, kv.pose, position)


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
        attending: tuple[Rows, Rows] = (None, None),
    ) -> SiteKeyValues:
        """Compute keys and values, once per image; all of them count as identity.

        Null tokens of one kind are beside tokens of the other, so every row attends.
        """
        place = None
        if self.position is not None:
            place = F.pad(self.position(pose_features), (0, 0, identity.shape[1], 0))
        return SiteKeyValues(self.tokens.project(torch.cat([identity, pose], 1), place), None)

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
        return 0.5 * (identity_scale + pose_scale) * self.tokens(query, kv.identity, position)
