"""Scores of one method on twins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..metrics.images import ssim_map
from ..metrics.perceptual import perceptual_distance
from .files import TwinRow
from .judges import lean, part_colours, pooled, source_colours
from .overlaps import GROUPS, NOWHERE, Group, group_of_part, pairs_of_groups

Image = Float[Tensor, "3 height width"]
Parts = Float[Tensor, "groups height width"]
REGIONS = ("overlap", "person", "whole")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What a method makes of a twin, at the truths' size or a whole number of times smaller."""

    a: Image
    b: Image
    mirrored: tuple[Image, Image] | None = None
    """A and B again with all maps as they were and the points' depth mirrored, if it has points."""
    parts: tuple[Parts, Parts] | None = None
    """How much of each of `GROUPS` is in front, in the method's own account, if it has one."""


Method = Callable[[TwinRow], Drawn]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One overlap of two parts in one output."""

    pair: tuple[Group, Group]
    right: bool
    """By the judge by truths."""
    lean: float
    """1 at the own truth, -1 at the other pose's."""
    contrast: float
    """Of the judge by the source."""
    right_by_source: bool
    winner_changes: bool | None
    """Whether mirrored depth brings the other part to the front."""
    right_part: bool | None
    """Whether more of the right part is in front than of the other, in the method's own account."""


@dataclass(frozen=True, kw_only=True)
class TwinScore:
    """One twin."""

    number: int
    subset: str
    trials: list[Trial]
    flip_cosine: float | None
    """Of the change of the output and the change of the truth, in the overlap; control: none."""
    response: float | None
    """Length of the one over that of the other."""
    closeness: dict[str, dict[str, float]] = field(default_factory=dict)
    """By region: psnr, ssim and, if wanted, perceptual; means of both outputs."""


def score_twin(row: TwinRow, drawn: Drawn, *, perceptual: bool, least_px: int) -> TwinScore:
    """Judge both outputs of a twin and measure how close they are.

    Args:
        row: the twin.
        drawn: both outputs.
        perceptual: whether the perceptual distance is measured, too.
        least_px: overlaps of fewer pixels, of the truths, are not judged.
    """
    factor = row.images["a"].shape[-1] // drawn.a.shape[-1]
    truths = [pooled(row.images[name], factor) for name in ("a", "b")]
    outputs = [drawn.a.clamp(-1.0, 1.0), drawn.b.clamp(-1.0, 1.0)]
    trials = _trials(row, drawn, truths, outputs, factor, least_px)
    union = pooled(row.overlaps.changed[None].float(), factor)
    cosine = response = None
    if bool(union.any()):
        wanted, found = union * (truths[0] - truths[1]), union * (outputs[0] - outputs[1])
        lengths = float(wanted.norm()), float(found.norm())
        response = lengths[1] / max(lengths[0], 1e-9)
        cosine = float((wanted * found).sum()) / max(lengths[0] * lengths[1], 1e-9)
    closeness: dict[str, dict[str, float]] = {}
    for name, output, truth in zip(("a", "b"), outputs, truths, strict=True):
        person = pooled(row.coverage(name), factor)
        for region, weight in zip(REGIONS, (union, person, torch.ones_like(union)), strict=True):
            if bool(weight.any()):
                found = _closeness(output, truth, weight, factor if perceptual else None)
                entry = closeness.setdefault(region, dict.fromkeys(found, 0.0))
                for measure, value in found.items():
                    entry[measure] += 0.5 * value
    return TwinScore(
        number=row.number,
        subset=row.subset,
        trials=trials,
        flip_cosine=cosine,
        response=response,
        closeness=closeness,
    )


def _trials(
    row: TwinRow,
    drawn: Drawn,
    truths: Sequence[Image],
    outputs: Sequence[Image],
    factor: int,
    least_px: int,
) -> list[Trial]:
    trials = []
    colours = part_colours(row)
    fronts = [_groups_in_front(front) for front in row.overlaps[:2]]
    for pair, mask in pairs_of_groups(row.overlaps, least_px).items():
        weight = pooled(mask[None].float(), factor)
        source = source_colours(row, mask, colours, factor)
        known = (source.front_a, source.front_b)
        for own, output in enumerate(outputs):
            leans = lean(output, truths[own], truths[1 - own], weight)
            by_source = lean(output, known[own], known[1 - own], source.weight)
            changes = None
            if drawn.mirrored is not None:
                mirrored = lean(drawn.mirrored[own], truths[own], truths[1 - own], weight)
                changes = (mirrored > 0.0) != (leans > 0.0)
            right_part = None
            if drawn.parts is not None:
                wanted, other = (
                    pooled(mask * each, factor) for each in (fronts[own], fronts[1 - own])
                )
                right_part = float((drawn.parts[own] * (wanted - other)).sum()) > 0.0
            trials.append(
                Trial(
                    pair=pair,
                    right=leans > 0.0,
                    lean=leans,
                    contrast=source.contrast,
                    right_by_source=by_source > 0.0,
                    winner_changes=changes,
                    right_part=right_part,
                )
            )
    return trials


def _groups_in_front(front: Tensor) -> Parts:
    """Give every group its share of every pixel, from the numbers of parts in front."""
    table = torch.cat([group_of_part(), torch.full((NOWHERE + 1 - 24,), len(GROUPS))])
    return F.one_hot(table[front], len(GROUPS) + 1).permute(2, 0, 1)[:-1].float()


def _closeness(
    output: Image, truth: Image, weight: Float[Tensor, "1 height width"], factor: int | None
) -> dict[str, float]:
    """Measure one output in a region; `factor` is for the perceptual distance, or None."""
    total = float(weight.sum())
    error = float((weight * (output - truth).square()).sum()) / (3.0 * total)
    found = {
        "psnr": float(10.0 * torch.log10(torch.tensor(4.0 / max(error, 1e-9)))),
        "ssim": float((weight[0] * ssim_map(output, truth)).sum()) / total,
    }
    if factor is not None:
        enlarged = [
            F.interpolate(each[None], scale_factor=factor, mode="bilinear")
            if factor > 1
            else each[None]
            for each in (output, truth)
        ]
        where = F.interpolate(weight[None], scale_factor=factor) if factor > 1 else weight[None]
        found["perceptual"] = float(perceptual_distance(enlarged[0], enlarged[1], where))
    return found
