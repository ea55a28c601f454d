"""Cloth that hangs between the legs: faces from one leg to the other, as far down as it is seen.

A body's surface has none there, so that a shell alone parts a skirt with the legs. Where a source
shows the person between its legs and beside the bare body, row by row down from the crotch, a sheet
before and one behind join the legs; vertices stay the body's own, and any pose carries the sheets.
So they do where the legs are closed and cloth stands far off both.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.normals import vertex_normals

CROTCH, ANKLE = -0.12, -1.0
"""Heights on the rest body, canonical."""
HALF_HEIGHT_M = 0.85
"""What a canonical unit is, about."""
ROWS = 30
LEAST_M2 = 0.06
"""Area of cloth between the legs, beside the bare body, that makes a skirt.

Trousers of fitted legs that stand too far apart have some, too: in 32 photos of people without a
skirt at most 0.056, on 28 synthetic people but one at most 0.04. Of 42 synthetic skirts every third
has more; the others' legs are nearly closed."""

SLACK_M = 0.15
"""Cloth so much wider than both legs is no trousers'."""
LEAST_FLARE_M2 = 0.03
"""Area of cloth beside both legs, beyond that, that makes a skirt: in 34 photos without one at most
0.014, on the synthetic people at most 0.022, on 16 of the skirts more, and on the widest coats."""
UPRIGHT = 0.4
"""How far down the image a row of each leg lies below the next, at least, a share of what it has in
front of the camera: nobody who sits or bends is measured."""
CLOSED = 0.95
"""Share of a row between the legs' outer edges that is cloth or legs, at least."""


def skirt_faces(
    bare: BodyView, shown: Float[Tensor, "height width"]
) -> Int[Tensor, "sheet_faces 3"]:
    """Join the legs as far down as the person is shown between them; none without a skirt.

    Args:
        bare: the body in the source.
        shown: share of the person in each pixel, of the view's size.
    """
    front, back = (_edges(bare, side) for side in (1.0, -1.0))
    corners = bare.vertices[0, front]
    share = torch.tensor([0.3, 0.5, 0.7]).to(shown)[:, None, None]
    between = corners[:, 0] + share * (corners[:, 1] - corners[:, 0])
    pixels = project_perspective(between, bare.intrinsics.expand(3, -1, -1))
    grid = pixels_to_ndc(pixels, bare.size)[None]
    images = torch.stack([shown, bare.visibility.mask[0].to(shown)])[None]
    person, body = F.grid_sample(images, grid, align_corners=False)[0] > 0.5
    beside, cloth = (~body).any(0), (person | body).all(0)
    rows = int(cloth.long().cumprod(0).sum())
    gap = (corners[:, 1] - corners[:, 0]).norm(dim=1)
    step = (corners.mean(1)[1:] - corners.mean(1)[:-1]).norm(dim=1).mean()
    hangs = float((gap * beside)[:rows].sum() * step) >= LEAST_M2
    if not hangs and _flare(bare, (images[0] > 0.5).any(0)) * float(step) < LEAST_FLARE_M2:
        return bare.faces.new_zeros(0, 3)
    return torch.cat([_sheet(front[:rows]), _sheet(back[:rows]).flip(1)]).to(bare.faces)


def _flare(bare: BodyView, covered: Bool[Tensor, "height width"]) -> float:
    """Add up, over rows of both legs, how much wider than they the person is, metres."""
    pixels = project_perspective(bare.vertices, bare.intrinsics)[0]
    left, right = (_rows_of(bare, leg) for leg in "lr")
    lowest, total = torch.full((2,), -torch.inf), 0.0
    drop = UPRIGHT * (CROTCH - ANKLE) / ROWS * HALF_HEIGHT_M * bare.px_per_m
    for one, two in zip(left, right, strict=True):
        heights = torch.stack([pixels[leg, 1].mean() for leg in (one, two)]).cpu()
        down, lowest = heights - lowest, heights
        columns, y = pixels[one | two, 0], int(heights.mean())
        start, end = int(columns.min()), int(columns.max()) + 1
        inside = 0 <= y < covered.shape[0] and 0 <= start < end <= covered.shape[1]
        if not inside or float(down.min()) < drop:
            break
        line = covered[y].long()
        if float(line[start:end].float().mean()) < CLOSED:
            break
        beside = int(line[:start].flip(0).cumprod(0).sum() + line[end:].cumprod(0).sum())
        total += max(0.0, beside / bare.px_per_m - SLACK_M)
    return total


def _rows_of(view: BodyView, leg: str) -> Bool[Tensor, "rows vertices"]:
    """Tell which vertices of a leg, l or r, lie at each height, from the top."""
    heights = torch.linspace(CROTCH, ANKLE, ROWS, device=view.canonical.device)
    near = (view.canonical[:, 1] - heights[:, None]).abs() < (CROTCH - ANKLE) / ROWS
    joints = [JOINT_INDEX[f"{leg}_{name}"] for name in ("hip", "knee", "ankle")]
    return near & torch.isin(view.parts, view.parts.new_tensor(joints))


def _edges(view: BodyView, side: float) -> Int[Tensor, "rows 2"]:
    """Pick the vertices of the left and right leg, from the top, that look inward and ahead.

    Args:
        view: whose rest body is looked at.
        side: 1 for the front, -1 for the back.
    """
    normals = vertex_normals(view.canonical[None], view.faces)[0]
    picked = []
    for leg, inward in (("l", -1.0), ("r", 1.0)):
        score = normals @ normals.new_tensor([inward, 0.0, side])
        picked.append(torch.where(_rows_of(view, leg), score, -torch.inf).argmax(1))
    return torch.stack(picked, 1)


def _sheet(edges: Int[Tensor, "rows 2"]) -> Int[Tensor, "sheet_faces 3"]:
    """Span triangles between two edges, seen from the front."""
    left, right = edges.unbind(1)
    upper = torch.stack([right[:-1], left[1:], left[:-1]], 1)
    lower = torch.stack([right[:-1], right[1:], left[1:]], 1)
    return torch.cat([upper, lower])
