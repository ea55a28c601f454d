"""Cloth that hangs between the legs: faces from one leg to the other, as far down as it is seen.

A body's surface has none there, so that a shell alone parts a skirt with the legs. Where a source
with its legs apart shows the person between them, row by row down from the crotch, a sheet before
and one behind join the legs; vertices stay the body's own, and any pose carries the sheets.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.normals import vertex_normals

CROTCH, ANKLE = -0.12, -1.0
"""Heights on the rest body, canonical."""
ROWS = 30
APART_M = 0.06
"""Legs nearer to each other than this hide whether anything hangs between them."""
LEAST_ROWS = 4
"""Rows with the legs apart that make a skirt; trousers have fewer at the crotch."""


def skirt_faces(
    worn: BodyView, shown: Float[Tensor, "height width"]
) -> Int[Tensor, "sheet_faces 3"]:
    """Join the legs as far down as the person is shown between them; none without a skirt.

    Args:
        worn: the clothed body in the source.
        shown: share of the person in each pixel, of the view's size.
    """
    front, back = (_edges(worn, side) for side in (1.0, -1.0))
    corners = worn.vertices[0, front]
    apart = (corners[:, 0] - corners[:, 1]).norm(dim=1) > APART_M
    share = torch.tensor([0.3, 0.5, 0.7]).to(shown)[:, None, None]
    between = corners[:, 0] + share * (corners[:, 1] - corners[:, 0])
    pixels = project_perspective(between, worn.intrinsics.expand(3, -1, -1))
    grid = pixels_to_ndc(pixels, worn.size)[None]
    read = F.grid_sample(shown[None, None], grid, align_corners=False)[0, 0]
    cloth = (read > 0.5).all(0) | ~apart
    rows = int(cloth.long().cumprod(0).sum())
    if int(apart[:rows].sum()) < LEAST_ROWS:
        return worn.faces.new_zeros(0, 3)
    return torch.cat([_sheet(front[:rows]), _sheet(back[:rows]).flip(1)]).to(worn.faces)


def _edges(worn: BodyView, side: float) -> Int[Tensor, "rows 2"]:
    """Pick the vertices of the left and right leg, from the top, that look inward and ahead.

    Args:
        worn: whose rest body is looked at.
        side: 1 for the front, -1 for the back.
    """
    normals = vertex_normals(worn.canonical[None], worn.faces)[0]
    heights = torch.linspace(CROTCH, ANKLE, ROWS, device=worn.canonical.device)
    near = (worn.canonical[:, 1] - heights[:, None]).abs() < (CROTCH - ANKLE) / ROWS
    picked = []
    for leg, inward in (("l", -1.0), ("r", 1.0)):
        joints = [JOINT_INDEX[f"{leg}_{name}"] for name in ("hip", "knee", "ankle")]
        own = torch.isin(worn.parts, worn.parts.new_tensor(joints))
        score = normals @ normals.new_tensor([inward, 0.0, side])
        picked.append(torch.where(near & own, score, -torch.inf).argmax(1))
    return torch.stack(picked, 1)


def _sheet(edges: Int[Tensor, "rows 2"]) -> Int[Tensor, "sheet_faces 3"]:
    """Span triangles between two edges, seen from the front."""
    left, right = edges.unbind(1)
    upper = torch.stack([right[:-1], left[1:], left[:-1]], 1)
    lower = torch.stack([right[:-1], right[1:], left[1:]], 1)
    return torch.cat([upper, lower])
