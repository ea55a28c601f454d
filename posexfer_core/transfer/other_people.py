"""Who else is in a photo: people beside the one who is moved, whose pixels stay theirs."""

from collections.abc import Sequence
from math import inf

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.view import BodyView
from ..errors import KeypointsError
from ..fit.fit import fit_people
from ..geometry.camera import project_perspective
from ..keypoints.keypoint_placement import located
from ..keypoints.keypoints import FAINTEST, Keypoints
from ..keypoints.observation import Observation, usable_keypoints
from ..warp.filters import dilate
from .framing import Box, body_box

DRAWN_PX = 1024
"""Longest side of the image in which they are drawn."""
CLOTHES_M = 0.04
"""How far clothes and hair of the others stand off their fitted bodies."""
BEFORE_M = 0.5
"""How much nearer than the one who is moved a fitted body must be to hide them. In two pairs of
people who stand behind each other (COCO) 97 and 100 % of the pixels within both bodies are of the
nearer one; of two who hug, 26 %."""
NEAR = 0.15
"""How far around the one who is moved others are looked for, a share of that body's extent."""
SAME = 0.05
"""Mean distance of keypoints, a share of the moved body's extent, up to which somebody is the one
who is moved, found twice. In four photos of COCO and three of OCHuman bodies lie within 0.013 of
the keypoints they were fitted to; two people who hug are 0.075 apart, all others 0.35 and more."""
APART = 0.3
"""Distance from which somebody is surely another person."""


def beside(people: Sequence[Observation], moved: BodyView) -> list[Observation]:
    """Drop the one who is moved from everyone in a photo: who lies nearest to the body.

    Args:
        people: everyone, the one who is moved among them, or not.
        moved: the body of the person who is moved.
    """
    found = [_distance(one.keypoints, moved) for one in people]
    nearest = min(found, default=APART)
    own = found.index(nearest) if nearest < APART else -1
    return [one for number, one in enumerate(people) if number != own]


def find_others(
    people: Sequence[Observation],
    moved: BodyView,
    body: BodyModel,
    mask: Float[Tensor, "1 1 height width"] | None = None,
) -> Float[Tensor, "1 1 height width"] | None:
    """Fit a body to everyone near, and tell where they are; None where nobody is.

    Args:
        people: the others of the photo.
        moved: the body of the person who is moved, in the photo.
        body: the model to fit.
        mask: of the person who is moved; one of everybody makes those in it count who are not near.
    """
    near = []
    for one in people:
        try:
            seen = usable_keypoints(one.keypoints, body)
        except KeypointsError:
            continue
        box = (*seen.xy.min(0).tolist(), *seen.xy.max(0).tolist())
        counts = _is_near(box, moved) or _is_in(mask, seen)
        if counts and _distance(seen, moved) > SAME:
            near.append(one)
    fits = fit_people(near, body=body) if near else []
    return silhouettes([BodyView.of(fit.params, body) for fit in fits], moved)


def bodies_beside(
    bodies: Sequence[BodyView], moved: BodyView
) -> Float[Tensor, "1 1 height width"] | None:
    """Tell where bodies beside the one who is moved are; None where nobody is.

    Args:
        bodies: of the others, one each, in the photo; repetitions of the moved one do not count.
        moved: the body of the person who is moved.
    """
    own = project_perspective(moved.joints, moved.intrinsics)[0]
    others = []
    for one in bodies:
        joints = project_perspective(one.joints, one.intrinsics)[0]
        if float((joints - own).norm(dim=-1).mean()) > SAME * _extent(moved):
            others.append(one)
    return silhouettes(others, moved)


def silhouettes(
    views: Sequence[BodyView], moved: BodyView
) -> Float[Tensor, "1 1 height width"] | None:
    """Draw where others with their clothes are seen: 1, elsewhere 0; None for nobody.

    Args:
        views: one body each, in the same image.
        moved: who hides them where they are not clearly nearer.
    """
    if not views:
        return None
    scale = min(1.0, DRAWN_PX / max(moved.size))
    height, width = (max(1, round(scale * side)) for side in moved.size)
    own, *others = (one.reframed((0.0, 0.0), scale, (height, width)) for one in (moved, *views))
    moved_mask, moved_depth = own.visibility.mask.cpu(), own.visibility.depth.cpu()
    drawn = torch.zeros(1, height, width, dtype=torch.bool)
    for one in others:
        clothes = round(CLOTHES_M * one.px_per_m)
        mask, depth = one.visibility.mask.cpu(), one.visibility.depth.cpu()
        before = mask & moved_mask & (depth < moved_depth - BEFORE_M)
        drawn |= dilate(mask, clothes) & ~moved_mask | dilate(before, clothes)
    return F.interpolate(drawn[:, None].float(), size=moved.size)


def _is_near(box: Box, moved: BodyView) -> bool:
    left, top, right, bottom = body_box(moved)
    border = NEAR * _extent(moved)
    across = box[0] < right + border and box[2] > left - border
    return across and box[1] < bottom + border and box[3] > top - border


def _is_in(mask: Tensor | None, keypoints: Keypoints) -> bool:
    """Tell whether a mask covers most of somebody's keypoints."""
    if mask is None:
        return False
    height, width = mask.shape[-2:]
    columns, rows = torch.from_numpy(keypoints.xy).long().unbind(1)
    return float(mask[0, 0, rows.clamp(0, height - 1), columns.clamp(0, width - 1)].mean()) > 0.5


def _extent(view: BodyView) -> float:
    left, top, right, bottom = body_box(view)
    return max(right - left, bottom - top)


def _distance(keypoints: Keypoints, view: BodyView) -> float:
    """Give the mean distance of seen keypoints to the body's own, in the body's extents."""
    apart = []
    for name, xy, confidence in zip(
        keypoints.names, keypoints.xy, keypoints.confidence, strict=True
    ):
        place = located(name, view)
        if place is not None and confidence > FAINTEST:
            pixels = project_perspective(place[:, None], view.intrinsics)[0, 0]
            apart.append(float((pixels - torch.from_numpy(xy).to(pixels)).norm()))
    return sum(apart) / len(apart) / _extent(view) if apart else inf
