"""The straight path from two views of a body to what the network is conditioned on."""

from collections.abc import Callable
from hashlib import sha1

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from .body.maps import canonical_map, mask_map, prior_maps
from .body.view import BodyView
from .errors import PictureError
from .geometry.camera import pixels_to_ndc, project_perspective
from .geometry.points import SurfacePoints, locate_points, sample_surface_points
from .geometry.visibility import surface_warp, warp_picture
from .network.config import NetworkConfig
from .network.model import ConditionInputs

DEPTH_LIMIT_M = 1.5
MARGIN = 0.03
"""How far clothes and hair may stand off the body, as a share of the picture's height."""

_points_of_topology: dict[tuple[bytes, int], SurfacePoints] = {}


def body_points(view: BodyView, count: int) -> SurfacePoints:
    """Choose the fixed, evenly spread points that stand for a body's topology.

    They depend on the rest body and its faces alone, so that point k is the same place on every
    person; computed once per topology and count.
    """
    digest = sha1(view.canonical.numpy(force=True).tobytes())
    digest.update(view.faces.numpy(force=True).tobytes())
    key = (digest.digest(), count)
    if key not in _points_of_topology:
        _points_of_topology[key] = sample_surface_points(view.canonical, view.faces, count)
    return _points_of_topology[key]


def place_points(
    view: BodyView, count: int, *, camera_depth: bool = False
) -> tuple[Float[Tensor, "batch points 3"], Float[Tensor, "batch points 3"]]:
    """Give every body point its place in the output picture and on the rest body.

    Args:
        view: the target body.
        count: how many points stand for the surface.
        camera_depth: give camera depth in metres instead of depth relative to the pelvis (an
            ablation; estimators put the body tens of metres away).

    Returns:
        (u, v, z): u and v in NDC of the picture, z in metres behind the pelvis, clipped to 1.5;
        and the points' canonical positions.
    """
    points = body_points(view, count)
    position = locate_points(points, view.vertices, view.faces)
    uv = pixels_to_ndc(project_perspective(position, view.intrinsics), view.size)
    z = position[..., 2:]
    if not camera_depth:
        z = (z - view.joints[:, :1, 2:]).clamp(-DEPTH_LIMIT_M, DEPTH_LIMIT_M)
    canonical = locate_points(points, view.canonical[None], view.faces)
    return torch.cat([uv, z], -1), canonical.expand(len(position), -1, -1)


def draft_picture(
    picture: Float[Tensor, "batch 3 height width"],
    source: BodyView,
    target: BodyView,
    *,
    margin: float = MARGIN,
) -> Float[Tensor, "batch 5 height width"]:
    """Draw what geometry alone knows of the result.

    The source's colours are carried along the body surface to where the target shows the same
    places; around the person, the source's background stays. What neither knows is left 0.

    Args:
        picture: the source picture, in [-1, 1], of both views' size.
        source: the body of the person shown.
        target: the same person's body in the pose wanted.
        margin: width of the band around the source's silhouette, where clothes and hair may be and
            the background is not trusted; a share of the picture's height.

    Returns:
        Three colours in [-1, 1], 1 where the surface is seen in the source, 1 where the background
        is known.
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
    clear = ~widen(source.visibility.mask, round(margin * source.size[0]))
    known = (clear & ~target.visibility.mask)[:, None].to(picture.dtype)
    colours = seen * warp_picture(picture, warp) + known * picture
    return torch.cat([colours, seen, known], 1)


def widen(
    mask: Bool[Tensor, "batch height width"], by_px: int
) -> Bool[Tensor, "batch height width"]:
    """Grow a mask by a square of `by_px` pixels to every side; 0 leaves it as it is."""
    size, grown = 2 * by_px + 1, mask[:, None].float()
    grown = F.max_pool2d(grown, (size, 1), stride=1, padding=(by_px, 0))
    return F.max_pool2d(grown, (1, size), stride=1, padding=(0, by_px))[:, 0] > 0.5


def prepare_inputs(
    picture: Float[Tensor, "batch 3 height width"],
    source: BodyView | None,
    target: BodyView,
    *,
    config: NetworkConfig,
    encode: Callable[[Tensor], Tensor] | None = None,
    margin: float = MARGIN,
) -> ConditionInputs:
    """Compute everything that the network is conditioned on; nothing here depends on the timestep.

    Args:
        picture: the source picture, in [-1, 1].
        source: the body of the person shown, or None where it is not known; then nothing can be
            carried along its surface.
        target: the body wanted, in a picture of the same size.
        config: of the network that will read the result.
        encode: carries pictures to latents; needed where the network reads the draft's latents.
        margin: see `draft_picture`.

    Raises:
        PictureError: the picture and a view differ in size.
    """
    size = (picture.shape[-2], picture.shape[-1])
    for name, view in (("source", source), ("target", target)):
        if view is not None and view.size != size:
            raise PictureError(
                f"The picture is {size[0]}x{size[1]} pixels (height x width) but the {name} body's "
                f"camera makes pictures of {view.size[0]}x{view.size[1]}. Frame both alike."
            )
    points, points_canonical = place_points(
        target, config.points, camera_depth=config.z_mode == "camera"
    )
    maps = prior_maps(target) if config.prior_2d else {}
    draft_latents = None
    if source is None:
        source_maps = picture.new_zeros(len(picture), 4, *size)
    else:
        source_maps = torch.cat([canonical_map(source), mask_map(source)], 1)
        if config.prior_2d and config.warp:
            maps["warp"] = draft_picture(picture, source, target, margin=margin)
            draft_latents = encode(maps["warp"][:, :3]) if encode is not None else None
    return ConditionInputs(
        picture=picture,
        source_maps=source_maps,
        points=points,
        points_canonical=points_canonical,
        maps=maps,
        draft_latents=draft_latents,
    )
