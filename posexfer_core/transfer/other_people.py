"""Who else is in a photo: people beside the one who is moved, whose pixels stay theirs."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.view import BodyView
from ..errors import KeypointsError
from ..fit.fit import fit_people
from ..keypoints.observation import Observation, usable_keypoints
from ..warp.dressed_person import px_per_m
from ..warp.filters import dilate
from .framing import body_box

DRAWN_PX = 1024
"""Longest side of the image in which they are drawn."""
CLOTHES_M = 0.04
"""How far clothes and hair of the others stand off their fitted bodies."""
NEAR = 0.15
"""How far around the one who is moved others are looked for, a share of that body's extent."""


def find_others(
    people: Sequence[Observation], moved: BodyView, body: BodyModel
) -> Float[Tensor, "1 1 height width"] | None:
    """Fit a body to everyone near, and tell where they are; None where nobody is.

    Args:
        people: the others of the photo.
        moved: the body of the person who is moved, in the photo.
        body: the model to fit.
    """
    left, top, right, bottom = body_box(moved)
    border = NEAR * max(right - left, bottom - top)
    near = []
    for one in people:
        try:
            seen = usable_keypoints(one.keypoints, body)
        except KeypointsError:
            continue
        low, high = seen.xy.min(0), seen.xy.max(0)
        across = low[0] < right + border and high[0] > left - border
        if across and low[1] < bottom + border and high[1] > top - border:
            near.append(one)
    fits = fit_people(near, body=body) if near else []
    return silhouettes([BodyView.of(fit.params, body) for fit in fits])


def silhouettes(views: Sequence[BodyView]) -> Float[Tensor, "1 1 height width"] | None:
    """Draw where bodies with their clothes are: 1, elsewhere 0; None for nobody.

    Args:
        views: one body each, in the same image.
    """
    if not views:
        return None
    size = views[0].size
    scale = min(1.0, DRAWN_PX / max(size))
    small = (max(1, round(scale * size[0])), max(1, round(scale * size[1])))
    drawn = torch.zeros(1, *small, dtype=torch.bool)
    for view in views:
        shrunk = view.reframed((0.0, 0.0), scale, small)
        drawn |= dilate(shrunk.visibility.mask, round(CLOTHES_M * px_per_m(shrunk))).cpu()
    return F.interpolate(drawn[:, None].float(), size=size)
