"""What geometry alone can draw of the result: colours carried along the surface, holes filled.

Two views of one body tell where each seen place of it goes, exactly. What the source does not show
is filled by what lies nearest: on the body along its surface, around it across the picture. So the
network starts from a plausible picture and has to mend it, not to invent it.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.points import SurfacePoints, locate_points
from ..geometry.rasterize import interpolate
from ..geometry.visibility import surface_warp, vertex_visibility, warp_picture

MARGIN = 0.03
"""How far clothes and hair may stand off the body, as a share of the picture's height."""
REACH = 0.12
"""How far loose clothes, hair and what is held may reach; a share of the picture's height."""
OUTLYING = 0.35
"""Difference from the background, of a range of 2, at which something near the body is not it."""
ROUGHNESS = 5.0
"""How much more difference a background is granted that is rough itself."""
ALIKE = 0.08
"""Difference from the background, of a range of 2, at which the body's edge is no part of it."""
OVERHANG = 0.06
"""How far the body may stick out of the person shown; a share of the picture's height."""
DETAIL_PX = 3.0
"""What is finer than this is detail: the sigma of a Gaussian, pixels of a picture of height 256."""
AGREEMENT = 0.25
"""Difference of coarse colours, of a range of 2, at which a draft is trusted a third."""
PATCH_LEVELS = 9
"""Halvings after which one pixel of the pyramid has seen a picture of 512 pixels."""


def draft_picture(
    picture: Float[Tensor, "batch 3 height width"],
    source: BodyView,
    target: BodyView,
    points: SurfacePoints,
    *,
    margin: float = MARGIN,
) -> Float[Tensor, "batch 5 height width"]:
    """Draw what geometry knows of the result, and fill the rest with what is nearest.

    Args:
        picture: the source picture, in [-1, 1], of both views' size.
        source: the body of the person shown.
        target: the same person's body in the pose wanted.
        points: evenly spread over the surface; unseen surface takes the colours around the nearest
            of them that is seen.
        margin: width of the band around the source's silhouette, where clothes and hair may be and
            the background is not trusted; a share of the picture's height.

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
    clear = trusted_background(picture, source.visibility.mask, margin)[:, None]
    known = (clear & ~body).to(picture.dtype)
    shown = trusted_body(picture, source.visibility.mask, clear[:, 0])[:, None].to(picture.dtype)
    seen = seen * (warp_picture(shown, warp) > 0.99)
    colours = surface_colours(picture, shown, source, points)
    painted = interpolate(target.visibility, target.faces, colours).permute(0, 3, 1, 2)
    person = seen * warp_picture(picture, warp) + (1.0 - seen) * painted
    place = fill_holes(picture, clear.to(picture.dtype))
    return torch.cat([torch.where(body, person, place), seen, known], 1)


def surface_colours(
    picture: Float[Tensor, "batch 3 height width"],
    shown: Float[Tensor, "batch 1 height width"],
    view: BodyView,
    points: SurfacePoints,
) -> Float[Tensor, "batch vertices 3"]:
    """Give every vertex its own colour where it is seen, else that around the nearest seen point.

    Nearness is measured on the rest body, so that the back of a shirt takes the colour of its front
    and not that of the arm beside it. Grey where nothing is seen.

    Args:
        picture: in [-1, 1].
        shown: 1 where the picture shows what the body says.
        view: the body in the picture.
        points: whose surroundings colour what is not seen.
    """
    pixels = project_perspective(view.vertices, view.intrinsics)
    grid = pixels_to_ndc(pixels, view.size)[:, :, None]
    both = torch.cat([picture, shown], 1)
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


def fill_holes(
    picture: Float[Tensor, "batch channels height width"],
    known: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch channels height width"]:
    """Fill what is not known smoothly from around it, coarse to fine.

    Pull-push (Gortler et al. 1996, section 3.4): weighted means of ever larger squares on the way
    up, holes filled from the next coarser level on the way down. Known pixels stay as they are; 0
    where nothing is known.
    """
    levels = [(picture * known, known)]
    while len(levels) < PATCH_LEVELS and max(levels[-1][0].shape[-2:]) > 1:
        colour, weight = levels[-1]
        odd = (0, colour.shape[-1] % 2, 0, colour.shape[-2] % 2)
        total = 4.0 * F.avg_pool2d(F.pad(weight, odd), 2)
        mean = 4.0 * F.avg_pool2d(F.pad(colour, odd), 2) / total.clamp(min=1e-6)
        weight = total.clamp(max=1.0)
        levels.append((mean * weight, weight))
    colour, weight = levels[-1]
    filled = colour / weight.clamp(min=1e-6)
    for colour, weight in reversed(levels[:-1]):
        size = (colour.shape[-2], colour.shape[-1])
        coarse = F.interpolate(filled, size=size, mode="bilinear", align_corners=False)
        filled = colour + (1.0 - weight) * coarse
    return filled


def trusted_background(
    picture: Float[Tensor, "batch 3 height width"],
    body: Bool[Tensor, "batch height width"],
    margin: float,
) -> Bool[Tensor, "batch height width"]:
    """Tell where the background is seen: not on the body, not on what sticks out of it.

    What touches the body's margin, lies within reach, and differs from the background around that
    reach more than this background differs from its own blur, belongs to the person: a coat, a
    ponytail, a ski.

    Args:
        picture: in [-1, 1].
        body: where the bare body is.
        margin: width of the band that is never trusted, a share of the picture's height.
    """
    height = body.shape[-2]
    pixel = height / 256.0
    near, person = widen(body, round(REACH * height)), widen(body, round(margin * height))
    far = (~near)[:, None].to(picture.dtype)
    apart = (picture - fill_holes(picture, far)).abs().amax(1, keepdim=True)
    limit = OUTLYING + ROUGHNESS * roughness(picture, far)
    odd = near & (blurred(apart, 1.5 * pixel) > limit)[:, 0]
    step = max(1, round(2.0 * pixel))
    for _ in range(round(REACH * height / step)):
        person = person | (widen(person, step) & odd)
    return ~widen(person, round(pixel))


def trusted_body(
    picture: Float[Tensor, "batch 3 height width"],
    body: Bool[Tensor, "batch height width"],
    clear: Bool[Tensor, "batch height width"],
) -> Bool[Tensor, "batch height width"]:
    """Tell where the picture shows what the body says: not where its edge lies on the background.

    A body that was fitted sticks out of the person here and there. From outside, as far as it may,
    what is like the background behind it is taken off, and the seam that mixes the two. A rough
    background tells nothing.

    Args:
        picture: in [-1, 1].
        body: where the bare body is.
        clear: where the background is seen, as `trusted_background` says.
    """
    height = body.shape[-2]
    known = clear[:, None].to(picture.dtype)
    apart = (picture - fill_holes(picture, known)).abs().amax(1, keepdim=True)
    rough = roughness(picture, known)
    limit = torch.where(rough < 2.0 * ALIKE, ALIKE + rough, 0.0)
    alike = (blurred(apart, height / 256.0) < limit)[:, 0]
    outside, step = ~body, max(1, round(height / 128.0))
    for _ in range(round(OVERHANG * height / step)):
        outside = outside | (widen(outside, step) & alike)
    return body & ~widen(body & outside, step)


def roughness(
    picture: Float[Tensor, "batch 3 height width"], where: Float[Tensor, "batch 1 height width"]
) -> Float[Tensor, "batch 1 1 1"]:
    """Measure how much a part of a picture differs from its own blur."""
    sigma_px = 8.0 * picture.shape[-2] / 256.0
    blur = blurred(picture * where, sigma_px) / blurred(where, sigma_px).clamp(min=1e-3)
    apart = ((picture - blur).abs().amax(1, keepdim=True) * where).sum((1, 2, 3), keepdim=True)
    return apart / where.sum((1, 2, 3), keepdim=True).clamp(min=1.0)


def restore_detail(
    picture: Float[Tensor, "batch 3 height width"], draft: Float[Tensor, "batch 5 height width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Put the draft's fine detail back where geometry carried it exactly.

    Latents are an eighth of a picture's size, and what is finer than they can hold is lost: eyes,
    prints, grain. Where the draft was seen, or is known background, `picture` takes the draft's
    fine colours. On the body it keeps its own coarse ones, hence its light; known background takes
    those too. All of it as far as the coarse colours agree: elsewhere the network has something
    else to show than the draft, such as a shadow.

    Args:
        picture: drawn from latents, in [-1, 1].
        draft: of `draft_picture`, of the same size.
    """
    pixel = draft.shape[-2] / 256.0
    colours, trusted = draft[:, :3], draft[:, 3:].amax(1) > 0.5
    trusted = ~widen(~trusted, max(1, round(pixel)))
    coarse, coarse_draft = blurred(picture, DETAIL_PX * pixel), blurred(colours, DETAIL_PX * pixel)
    apart = (coarse - coarse_draft).abs().amax(1, keepdim=True) / AGREEMENT
    trust = trusted[:, None].to(picture.dtype)
    trust = trust * blurred(trust, pixel) * torch.exp(-apart.square())
    tone = draft[:, 4:] * (coarse_draft - coarse)
    return (picture + trust * (colours - coarse_draft - (picture - coarse) + tone)).clamp(-1.0, 1.0)


def blurred(
    picture: Float[Tensor, "batch channels height width"], sigma_px: float
) -> Float[Tensor, "batch channels height width"]:
    """Blur by a Gaussian; the borders are repeated outwards."""
    reach = max(1, math.ceil(3.0 * sigma_px))
    offset = torch.arange(-reach, reach + 1, dtype=picture.dtype, device=picture.device)
    window = torch.exp(-0.5 * (offset / sigma_px).square())
    channels = picture.shape[1]
    window = (window / window.sum()).expand(channels, 1, -1)
    padded = F.pad(picture, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(padded, window[:, :, None], groups=channels)
    return F.conv2d(rows, window[..., None], groups=channels)


def widen(
    mask: Bool[Tensor, "batch height width"], by_px: int
) -> Bool[Tensor, "batch height width"]:
    """Grow a mask by a square of `by_px` pixels to every side; 0 leaves it as it is."""
    size, grown = 2 * by_px + 1, mask[:, None].float()
    grown = F.max_pool2d(grown, (size, 1), stride=1, padding=(by_px, 0))
    return F.max_pool2d(grown, (1, size), stride=1, padding=(0, by_px))[:, 0] > 0.5
