"""Which of two parts does an image have in front? Two judges, both by colour.

The judge by truths asks which of the two renderings an output is nearer to, where they differ. The
judge by the source knows no rendering: it compares with the mean colours that the two parts have in
the source, and may judge only where that tells true images apart.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posexfer_core.body.view import BodyView
from posexfer_core.render.part_labels import parts_map

from .files import TwinRow, the_body

LEAST_PART_PX = 20
"""Pixels of a part that the source must show."""
MUST_BE_RIGHT = 0.99
"""Share of true images that a judge must be right on."""
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
"""Contrasts of which the least that will do is taken."""


def pooled(values: Float[Tensor, "channels height width"], factor: int) -> Tensor:
    """Average over squares."""
    return F.avg_pool2d(values[None], factor)[0] if factor > 1 else values


def lean(
    image: Float[Tensor, "3 height width"],
    first: Float[Tensor, "3 height width"],
    second: Float[Tensor, "3 height width"],
    weight: Float[Tensor, "1 height width"],
) -> float:
    """Say where an image lies between two others: 1 at the first, -1 at the second, 0 midway."""
    apart = (weight * (first - second).square()).sum()
    towards = weight * ((image - second).square() - (image - first).square())
    return float(towards.sum() / apart.clamp(min=1e-9))


@dataclass(frozen=True)
class SourceColours:
    """What the judge by the source compares with, at one size."""

    front_a: Float[Tensor, "3 height width"]
    """Mean source colour of the part that pose A has in front."""
    front_b: Float[Tensor, "3 height width"]
    """The same of pose B."""
    weight: Float[Tensor, "1 height width"]
    """Share of each pixel where both are known."""

    @property
    def contrast(self) -> float:
        """Mean distance of the two colours; 0 where nothing is known."""
        if not bool(self.weight.any()):
            return 0.0
        apart = (self.front_a - self.front_b).norm(dim=0, keepdim=True)
        return float((self.weight * apart).sum() / self.weight.sum())


@lru_cache(maxsize=4)
def part_colours(row: TwinRow) -> Float[Tensor, "24 3"]:
    """Average the source over every part that it shows; not a number where it shows too little."""
    labels = parts_map(BodyView.of(row.params("source"), the_body()))[0]
    labels = torch.where(row.coverage("source")[0] > 0.5, labels, -1)
    colours = torch.full((24, 3), torch.nan)
    for part in range(24):
        if int((labels == part).sum()) >= LEAST_PART_PX:
            colours[part] = row.images["source"][:, labels == part].mean(1)
    return colours


def source_colours(
    row: TwinRow, mask: Tensor, colours: Float[Tensor, "24 3"], factor: int
) -> SourceColours:
    """Look the parts' colours up in an overlap.

    Args:
        row: the twin.
        mask: the overlap, at the size of the truths.
        colours: from `part_colours`.
        factor: how many times smaller the judged image is.
    """
    fronts = [front.clamp(max=23) for front in row.overlaps[:2]]
    drawn = [colours[front].permute(2, 0, 1) for front in fronts]
    known = mask & ~torch.stack(drawn).isnan().any(0).any(0)
    weight = pooled(known[None].float(), factor)
    a, b = (
        pooled(torch.where(known, image, 0.0), factor) / weight.clamp(min=1e-6) for image in drawn
    )
    return SourceColours(a, b, weight)


def least_contrast(truths: list[tuple[float, bool]]) -> float | None:
    """Choose from which contrast on the judge by the source is right on true images.

    Args:
        truths: contrast of an overlap, and whether the judge is right about a truth there.

    Returns:
        None where no threshold leaves a judge that may judge.
    """
    for threshold in THRESHOLDS:
        right = [judged for contrast, judged in truths if contrast > threshold]
        if right and sum(right) >= MUST_BE_RIGHT * len(right):
            return threshold
    return None
