"""Flat painters: what scores without any drawing. They stand beside every score."""

import torch
from jaxtyping import Float
from torch import Tensor

from posexfer_core.warp.background import background_plate

from .files import TwinRow
from .judges import part_colours, pooled
from .measures import Drawn, Image, Method
from .overlaps import NOWHERE


def copy_source(factor: int) -> Method:
    """Show the source again."""

    def draw(row: TwinRow) -> Drawn:
        source = pooled(row.images["source"], factor)
        return Drawn(a=source, b=source)

    return draw


def one_colour(factor: int) -> Method:
    """Fill the true silhouette with the source person's mean colour."""

    def draw(row: TwinRow) -> Drawn:
        colour = _person_colour(row)[:, None, None]
        a, b = (_laid_over(row, name, colour.expand_as(row.images[name])) for name in ("a", "b"))
        return Drawn(a=pooled(a, factor), b=pooled(b, factor))

    return draw


def colour_per_part(factor: int) -> Method:
    """Fill every true part with its mean colour in the source, or the person's if it is unseen.

    It is told which part is in front.
    """

    def draw(row: TwinRow) -> Drawn:
        colours, mean = part_colours(row), _person_colour(row)
        colours = torch.where(colours.isnan(), mean, colours)
        table = torch.cat([colours, mean[None].expand(NOWHERE + 1 - len(colours), -1)])
        a, b = (
            _laid_over(row, name, table[front].permute(2, 0, 1))
            for name, front in zip(("a", "b"), row.overlaps[:2], strict=True)
        )
        return Drawn(a=pooled(a, factor), b=pooled(b, factor))

    return draw


def truth(factor: int) -> Method:
    """Give the truth itself, for the judges."""

    def draw(row: TwinRow) -> Drawn:
        return Drawn(a=pooled(row.images["a"], factor), b=pooled(row.images["b"], factor))

    return draw


def _person_colour(row: TwinRow) -> Float[Tensor, "3"]:
    share = row.coverage("source")
    return (share * row.images["source"]).sum((1, 2)) / share.sum().clamp(min=1e-6)


def _laid_over(row: TwinRow, name: str, person: Image) -> Image:
    """Lay a person over the background plate, with the true outline."""
    plate = background_plate(row.images["source"][None], row.coverage("source")[None])[0]
    return plate + row.coverage(name) * (person - plate)
