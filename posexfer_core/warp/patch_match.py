"""PatchMatch (Barnes et al. 2009): for every patch one that is like it, by jumps and by chance."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Places = Int[Tensor, "height width 2"]
"""Row and column of the patch that stands for each pixel's."""


def improve_places(
    patches: Float[Tensor, "pixels entries"],
    targets: Int[Tensor, "targets 2"],
    allowed: Bool[Tensor, "height width"],
    places: Places,
    generator: torch.Generator,
    together: float,
) -> tuple[Places, Float[Tensor, "height width"]]:
    """Try the neighbours' shifts at two distances, then places drawn closer and closer.

    Args:
        patches: of all pixels.
        targets: pixels whose places are sought.
        allowed: where.
        places: so far.
        generator: of draws.
        together: how much a neighbour's shift is worth, at most.

    Returns:
        Places, and how far their patches differ from the targets'.
    """
    width = allowed.shape[1]
    limit = targets.new_tensor(allowed.shape) - 1
    row, column = targets.unbind(1)
    mine = patches[row * width + column]

    def difference(at: Tensor) -> Tensor:
        apart = (mine - patches[at[:, 0] * width + at[:, 1]]).square().sum(1)
        return torch.where(allowed[at[:, 0], at[:, 1]], apart, torch.inf)

    best = places[row, column]
    score = difference(best)
    worth = score[score.isfinite()].median().clamp(max=together) if together else 0.0
    places = places.clone()
    beside = [
        (targets + targets.new_tensor(move)).clamp(min=0).minimum(limit)
        for move in ((0, 1), (1, 0), (0, -1), (-1, 0))
        if together
    ]

    def gain(at: Tensor) -> Tensor:
        """Tell what neighbours that come from beside are worth."""
        same = torch.zeros_like(score)
        for near in beside:
            same += (places[near[:, 0], near[:, 1]] - near == at - targets).all(1)
        return worth * same

    def attempt(shift: Callable[[], Tensor]) -> None:
        nonlocal best, score
        candidate = shift().clamp(min=0).minimum(limit)
        apart = difference(candidate)
        better = apart - gain(candidate) < score - gain(best)
        best = torch.where(better[:, None], candidate, best)
        score = torch.where(better, apart, score)
        places[row, column] = best

    for jump in (4, 1):
        for move in ((0, jump), (jump, 0), (0, -jump), (-jump, 0)):
            near = (targets + targets.new_tensor(move)).clamp(min=0).minimum(limit)
            attempt(lambda near=near: places[near[:, 0], near[:, 1]] - near + targets)
    radius = float(max(allowed.shape))
    while radius > 2.0:
        draw = torch.rand(len(best), 2, generator=generator).to(patches) * 2 - 1
        attempt(lambda draw=draw, radius=radius: best + (draw * radius).round().long())
        radius *= 0.35
    apart = torch.zeros(allowed.shape).to(patches)
    apart[row, column] = score
    return places, apart
