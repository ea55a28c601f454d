"""The body with its clothes and hair on: vertices moved along their normals to a person's mask.

One silhouette tells how far cloth stands off where the surface turns away from the camera; between
these places the distance is smooth over the mesh (SMPL+D, Alldieck et al. 2018, from one image and
along normals only). Distances belong to vertices, so that any pose wears the same shell.
"""

from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.normals import vertex_normals
from .filters import dilate
from .mesh_smoothing import neighbour_table, spread
from .progress import Progress, nothing
from .skirt_tube import skirt_reach, with_skirt

REACH_M = 0.25
"""How far cloth may stand off trunk and legs."""
REACHES_M = {
    "head": 0.15,
    "neck": 0.12,
    "shoulder": 0.12,
    "elbow": 0.1,
    "wrist": 0.04,
    "hand": 0.025,
    "ankle": 0.1,
    "foot": 0.06,
}
"""The same for other parts, metres."""
FACE_REACH_M = 0.015
FACE_TOP = 0.80
"""Height of the brows on the rest body, canonical."""
SHRINK_M = 0.025
"""How far the body may be thinner than the fitted one."""
ROUNDS = 5
STEPS = 48
"""Samples along a normal, from the silhouette to a tenth beyond reach."""
STIFFNESS, REST = 0.5, 0.004
"""Weights of smoothness and of standing off nothing, against one place of the silhouette."""


class Shell(NamedTuple):
    """How far the clothed surface stands off the bare one, and what of the mask it leaves out."""

    offsets: Float[Tensor, "vertices"]
    """Metres along each vertex's normal."""
    unreached: Bool[Tensor, "height width"]
    """Of the mask, but off the shell: a very wide hem, a pole, a bag, another person."""


class Clothes(NamedTuple):
    """What a photo's person wears, for the body in any pose."""

    offsets: Float[Tensor, "vertices"]
    """Of the shell, metres; a skirt's come last."""
    hem: float | None
    """How far down a skirt goes, canonical; None without one."""

    def on(self, view: BodyView) -> BodyView:
        """Dress a bare body."""
        dressed = view if self.hem is None else with_skirt(view, self.hem)
        return wear(dressed, self.offsets.to(view.vertices))

    def without_skirt(self, view: BodyView) -> "Clothes":
        """Leave a skirt out, of the clothes of such a body."""
        return Clothes(self.offsets[: len(view.canonical)], None)


def wear(view: BodyView, offsets: Float[Tensor, "vertices"]) -> BodyView:
    """Put a shell on a body in any pose: every vertex goes along its normal."""
    normals = vertex_normals(view.vertices, view.faces)
    return replace(view, vertices=view.vertices + offsets[:, None] * normals)


def fit_shell(
    view: BodyView,
    mask: Float[Tensor, "height width"],
    *,
    skirt_from: int | None = None,
    progress: Progress = nothing,
) -> Shell:
    """Let the body's silhouette grow or shrink to that of the person shown.

    Args:
        view: one body in the image that the mask belongs to, of its size.
        mask: share of the person in each pixel.
        skirt_from: the first vertex of a skirt, if there is one.
        progress: called after each round.
    """
    count = len(view.canonical)
    table, reach = neighbour_table(view.faces, count), _reaches(view)
    if skirt_from is not None:
        reach[skirt_from:] = skirt_reach(view.canonical[skirt_from:], REACH_M)
    held = REST * (REACH_M / reach).square()
    offsets = view.vertices.new_zeros(count)
    for _ in range(ROUNDS):
        worn = wear(view, offsets)
        at, gaps, weights = _gaps(worn, mask, reach)
        wanted, weight = torch.zeros_like(offsets), torch.zeros_like(offsets)
        bounded = torch.minimum((offsets[at] + gaps).clamp(min=-SHRINK_M), reach[at])
        wanted[at], weight[at] = weights * bounded, weights
        total = weight + held
        values = (wanted / total)[:, None]
        offsets = spread(values, total, table, stiffness=STIFFNESS, start=offsets[:, None])[:, 0]
        offsets = torch.minimum(offsets.clamp(min=-SHRINK_M), reach)
        progress()
    return Shell(offsets=offsets, unreached=_left_over(wear(view, offsets), mask))


def face_vertices(view: BodyView) -> Bool[Tensor, "vertices"]:
    """Tell which vertices are the face: the front of the head up to the brows."""
    normals = vertex_normals(view.canonical[None], view.faces)[0]
    head = view.parts == JOINT_INDEX["head"]
    return head & (normals[:, 2] > 0.3) & (view.canonical[:, 1] < FACE_TOP)


def _left_over(worn: BodyView, mask: Float[Tensor, "height width"]) -> Bool[Tensor, "height width"]:
    """Find what of the mask lies well off the shell, with what hangs on it up to the shell."""
    body, shown = worn.visibility.mask, (mask > 0.5)[None]
    unit = mask.shape[0] / 100.0
    core = shown & ~dilate(body, max(2, round(2.0 * unit)))
    return (dilate(core, max(1, round(2.0 * unit))) & shown & ~dilate(body, max(1, round(unit))))[0]


def _reaches(view: BodyView) -> Float[Tensor, "vertices"]:
    """Bound the distance at every vertex, metres."""
    by_joint = view.vertices.new_full((len(JOINT_INDEX),), REACH_M)
    for name, joint in JOINT_INDEX.items():
        by_joint[joint] = REACHES_M.get(name.removeprefix("l_").removeprefix("r_"), REACH_M)
    return torch.where(face_vertices(view), FACE_REACH_M, by_joint[view.parts.long()])


def _gaps(
    worn: BodyView, mask: Float[Tensor, "height width"], reach: Float[Tensor, "vertices"]
) -> tuple[Int[Tensor, "rim"], Float[Tensor, "rim"], Float[Tensor, "rim"]]:
    """Measure how far the mask goes on, or stops short, beyond the silhouette.

    Returns:
        Vertices of the silhouette, metres along their normals, weights. A gap that ends at another
        part is shared by both; one that does not end within reach tells nothing.
    """
    body = worn.visibility.mask[0].to(mask)
    at, pixels, outward, metres_per_px = _silhouette(worn, body)
    reach_px = reach[at] / metres_per_px
    share = torch.arange(1, STEPS + 1, device=mask.device) * (1.1 / STEPS)
    places = pixels[:, None] + (share * reach_px[:, None])[..., None] * outward[:, None]
    beyond = places + 2.0 * outward[:, None]
    hit = _sampled(body, beyond) > 0.5
    goes_on = (_sampled(mask, places) > 0.5) & ~hit
    length = goes_on.long().cumprod(1).sum(1)
    stopped_by = length.clamp(max=STEPS - 1)[:, None]
    meets = hit.gather(1, stopped_by)[:, 0] & (length < STEPS)
    outer = length * reach_px * (1.1 / STEPS)
    back = torch.arange(12, device=mask.device) * (2.0 * SHRINK_M / 12) / metres_per_px[:, None]
    inside = _sampled(mask, pixels[:, None] - back[..., None] * outward[:, None]) > 0.5
    missing = (~inside).long().cumprod(1).sum(1)
    inner = back.gather(1, missing.clamp(max=11)[:, None])[:, 0]
    gap = torch.where(length > 0, torch.where(meets, 0.5 * outer, outer), -inner) * metres_per_px
    weight = torch.where(meets, 0.03, 1.0)
    useless = (length == STEPS) | ((length == 0) & (missing == 12))
    return at, gap, torch.where(useless, 0.0, weight)


def _silhouette(
    worn: BodyView, body: Float[Tensor, "height width"]
) -> tuple[
    Int[Tensor, "rim"], Float[Tensor, "rim 2"], Float[Tensor, "rim 2"], Float[Tensor, "rim"]
]:
    """Find the vertices beside which, along their normals, the image shows no body.

    Returns:
        Vertices, pixels, unit directions out of the body, and metres along the normal per pixel.
    """
    vertices = worn.vertices[0]
    normals = vertex_normals(worn.vertices, worn.faces)[0]
    pixels = project_perspective(worn.vertices, worn.intrinsics)[0]
    facing = (normals * F.normalize(vertices, dim=1)).sum(1)
    across = normals[:, :2].norm(dim=1)
    outward = normals[:, :2] / across.clamp(min=1e-6)[:, None]
    height, width = worn.size
    inside = ((pixels > 1) & (pixels < pixels.new_tensor([width - 1, height - 1]))).all(1)
    free = _sampled(body, pixels + 2.5 * outward) < 0.5
    at = ((facing.abs() < 0.45) & inside & free & (vertices[:, 2] > 0)).nonzero()[:, 0]
    focal = worn.intrinsics[0, 0, 0]
    metres_per_px = vertices[at, 2] / focal / across[at].clamp(min=0.5)
    return at, pixels[at], outward[at], metres_per_px


def _sampled(
    image: Float[Tensor, "height width"], pixels: Float[Tensor, "*batch 2"]
) -> Float[Tensor, "*batch"]:
    """Read an image between pixels; 0 outside."""
    grid = pixels_to_ndc(pixels.reshape(1, 1, -1, 2), (image.shape[0], image.shape[1]))
    read = F.grid_sample(image[None, None], grid, align_corners=False)
    return read.reshape(pixels.shape[:-1])
