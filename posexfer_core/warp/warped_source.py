"""The source image warped to the target along the body's surface, holes filled.

Two views of one body give an exact correspondence of seen surface. Unseen surface takes the
nearest colours along the surface, unseen background the nearest ones across the image.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.points import SurfacePoints, locate_points
from ..geometry.rasterize import interpolate
from ..geometry.visibility import surface_warp, vertex_visibility, warp_image
from .background import fill_holes, trusted_background
from .filters import dilate, gaussian_blur, roughness

MARGIN = 0.03
"""How far clothes and hair may stand off the body, as a share of the image's height."""
ALIKE = 0.08
"""Difference from the background, of a range of 2, below which the body's rim is background."""
OVERHANG = 0.06
"""How far the body may overhang the person shown; a share of the image's height."""


def warp_source(
    image: Float[Tensor, "batch 3 height width"],
    source: BodyView,
    target: BodyView,
    points: SurfacePoints,
    *,
    margin: float = MARGIN,
) -> Float[Tensor, "batch 5 height width"]:
    """Warp surface and background that the source shows, and fill the rest with nearest colours.

    Args:
        image: the source image, in [-1, 1], of both views' size.
        source: the body of the person shown.
        target: the same person's body in the pose wanted.
        points: evenly spread over the surface; unseen surface takes the mean colour around the
            nearest point that is seen.
        margin: width of the band around the source's silhouette, where clothes and hair may be and
            the background is not trusted; a share of the image's height.

    Returns:
        Three colours in [-1, 1], 1 where the surface is seen in the source, 1 where the background
        is known; where both are 0, the colour is filled in.
    """
    warp = surface_warp(
        source.vertices,
        source.visibility,
        source.intrinsics,
        source.size,
        target.visibility,
        target.faces,
    )
    seen = warp.visible[:, None]
    body = target.visibility.mask[:, None]
    clear = trusted_background(image, source.visibility.mask, margin)[:, None]
    known = (clear & ~body).to(image.dtype)
    shown = trusted_body(image, source.visibility.mask, clear[:, 0])[:, None].to(image.dtype)
    seen = seen * (warp_image(shown, warp) > 0.99)
    colours = surface_colours(image, shown, source, points)
    painted = interpolate(target.visibility, target.faces, colours).permute(0, 3, 1, 2)
    person = seen * warp_image(image, warp) + (1.0 - seen) * painted
    place = fill_holes(image, clear.to(image.dtype))
    return torch.cat([torch.where(body, person, place), seen, known], 1)


def surface_colours(
    image: Float[Tensor, "batch 3 height width"],
    shown: Float[Tensor, "batch 1 height width"],
    view: BodyView,
    points: SurfacePoints,
) -> Float[Tensor, "batch vertices 3"]:
    """Sample the colour of every seen vertex; others take the mean around the nearest seen point.

    Distances are those on the rest body, so that the back of a shirt takes the colour of its front
    and not that of the arm beside it. Grey where nothing is seen.

    Args:
        image: in [-1, 1].
        shown: 1 where the image shows the body (`trusted_body`).
        view: the body in the image.
        points: evenly spread over the surface.
    """
    pixels = project_perspective(view.vertices, view.intrinsics)
    grid = pixels_to_ndc(pixels, view.size)[:, :, None]
    both = torch.cat([image, shown], 1)
    own = F.grid_sample(both, grid, padding_mode="border", align_corners=False)[..., 0].mT
    seen = vertex_visibility(view.vertices, view.visibility, view.intrinsics)
    own, seen = own[..., :3], seen & (own[..., 3] > 0.99)
    anchors = locate_points(points, view.canonical[None], view.faces)[0]
    home = torch.cdist(view.canonical, anchors).argmin(1).expand(len(view), -1)
    weight = seen[..., None].to(own.dtype)
    sums = own.new_zeros(len(view), len(anchors), 4)
    entries = torch.cat([weight * own, weight], -1)
    sums.scatter_add_(1, home[..., None].expand(-1, -1, 4), entries)
    count = sums[..., 3]
    colours = sums[..., :3] / count[..., None].clamp(min=1.0)
    distance = torch.cdist(anchors, anchors) + torch.where(count > 0, 0.0, torch.inf)[:, None]
    nearest = distance.argmin(2)
    around = colours.gather(1, nearest[..., None].expand(-1, -1, 3))
    filled = around.gather(1, home[..., None].expand(-1, -1, 3))
    return torch.where(seen[..., None], own, filled)


def trusted_body(
    image: Float[Tensor, "batch 3 height width"],
    body: Bool[Tensor, "batch height width"],
    clear: Bool[Tensor, "batch height width"],
) -> Bool[Tensor, "batch height width"]:
    """Tell where the image shows the body: not where its rim overhangs onto the background.

    A fitted body overhangs the person in places. Its rim is eroded from outside, by at most
    `OVERHANG`, as far as colours are those of the background, and then by the seam that mixes
    both. Before a rough background nothing is eroded.

    Args:
        image: in [-1, 1].
        body: where the bare body is.
        clear: where the background is seen (`trusted_background`).
    """
    height = body.shape[-2]
    known = clear[:, None].to(image.dtype)
    apart = (image - fill_holes(image, known)).abs().amax(1, keepdim=True)
    rough = roughness(image, known)
    limit = torch.where(rough < 2.0 * ALIKE, ALIKE + rough, 0.0)
    alike = (gaussian_blur(apart, height / 256.0) < limit)[:, 0]
    outside, step = ~body, max(1, round(height / 128.0))
    for _ in range(round(OVERHANG * height / step)):
        outside = outside | (dilate(outside, step) & alike)
    return body & ~dilate(body & outside, step)
