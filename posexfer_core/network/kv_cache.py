"""Keys and values of one batch of images, projected once and kept over the steps of sampling.

Neither depends on the timestep. Where all tokens of a sample are equal, as null tokens are,
attention returns their value for every query: such samples keep a constant instead of keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

Rows = Int[Tensor, "_"] | None
"""Samples of a batch with unequal tokens, by number, rising; None: all of them."""


@runtime_checkable
class Attention(Protocol):
    """The attention over one kind of tokens whose keys and values are kept."""

    def keys_values(self, tokens: Tensor, place: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Project tokens to keys and values."""
        ...

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend, and project to what is added."""
        ...

    def of_values(self, values: Tensor) -> Tensor:
        """Project values, as if each were all that is attended to."""
        ...


class TokenKeyValues(NamedTuple):
    """Keys and values of one kind of tokens at one site, split over heads."""

    key: Float[Tensor, "attending heads tokens head_width"]
    value: Float[Tensor, "attending heads tokens head_width"]
    attending: Rows = None
    """Samples of the batch that the keys and values are of."""
    constant: Float[Tensor, "batch 1 channels"] | None = None
    """What is added to the others."""

    @classmethod
    def of(
        cls,
        attention: Attention,
        tokens: Float[Tensor, "batch tokens width"],
        place: Float[Tensor, "batch tokens _"] | None = None,
        attending: Rows = None,
    ) -> "TokenKeyValues":
        """Project tokens.

        Args:
            attention: whose keys and values.
            tokens: of every sample.
            place: of the tokens, as the attention takes it.
            attending: samples whose tokens, or places, are not all equal.
        """
        if attending is None:
            return cls(*attention.keys_values(tokens, place))
        constant = attention.of_values(attention.keys_values(tokens[:, :1])[1])
        place = None if place is None else place[attending]
        return cls(*attention.keys_values(tokens[attending], place), attending, constant)

    def attend(
        self, attention: Attention, query: Float[Tensor, "batch queries _"]
    ) -> Float[Tensor, "batch queries channels"]:
        """Attend from every sample's queries."""
        if self.attending is None or self.constant is None:
            return attention(query, self.key, self.value)
        added = attention(query[self.attending], self.key, self.value)
        constant = self.constant.expand(-1, query.shape[1], -1)
        return constant.index_copy(0, self.attending, added)

    def rows(self, index: Int[Tensor, "_"]) -> "TokenKeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        if self.attending is None or self.constant is None:
            return TokenKeyValues(self.key[index], self.value[index])
        picked, place = (index[:, None] == self.attending).nonzero(as_tuple=True)
        return TokenKeyValues(self.key[place], self.value[place], picked, self.constant[index])


class SiteKeyValues(NamedTuple):
    """Keys and values of one site; no pose where there are no pose tokens."""

    identity: TokenKeyValues
    pose: TokenKeyValues | None

    def rows(self, index: Int[Tensor, "_"]) -> "SiteKeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        pose = None if self.pose is None else self.pose.rows(index)
        return SiteKeyValues(self.identity.rows(index), pose)


@dataclass(frozen=True)
class KeyValues:
    """Keys and values of every site, and the positions of queries.

    Valid for as long as the network's weights stay as they are.
    """

    sites: Mapping[str, SiteKeyValues]
    """By `AttentionSite.key`."""
    batch: int
    """How many samples they are of."""
    positions: dict[tuple[str, int, int], Tensor] = field(default_factory=dict)
    """`pos` of the queries by site, height and width; filled on first use."""

    def __getitem__(self, key: str) -> SiteKeyValues:
        return self.sites[key]

    def position(
        self, site_key: str, height: int, width: int, compute: Callable[[], Tensor]
    ) -> Tensor:
        """Give `pos` of the queries of a `height` x `width` grid, computed on first use."""
        place = (site_key, height, width)
        if place not in self.positions:
            self.positions[place] = compute()
        return self.positions[place]

    def rows(self, index: Int[Tensor, "_"]) -> "KeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        picked = {key: kv.rows(index) for key, kv in self.sites.items()}
        return KeyValues(picked, len(index), self.positions)


def attending_rows(*tokens: Float[Tensor, "batch tokens _"]) -> Rows:
    """Find the samples whose tokens are not all equal; None where that is every sample."""
    varied = torch.stack([(each != each[:, :1]).any(2).any(1) for each in tokens]).any(0)
    return None if varied.all() else varied.nonzero()[:, 0]
