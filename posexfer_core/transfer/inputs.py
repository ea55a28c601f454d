"""The network's inputs, computed from the source image and two views of a body."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..body.view import BodyView
from ..conventions import DEPTH_LIMIT_M
from ..errors import ImageError
from ..geometry.camera import pixels_to_ndc, project_perspective
from ..geometry.normals import vertex_normals
from ..geometry.points import SurfacePoints, locate_points, sample_surface_points
from ..network.condition import ConditionInputs
from ..network.config import MAP_CHANNELS, NetworkConfig
from ..register.resample_topology import on_topology_of
from ..render.maps import canonical_map, mask_map, prior_maps
from ..warp.background import background_plate
from ..warp.warp_to_pose import warp_to_pose

_points_of_topology: dict[tuple[bytes, int], SurfacePoints] = {}


def body_points(view: BodyView, count: int) -> SurfacePoints:
    """Sample points evenly over a body's surface, once per topology and count.

    They depend on the rest body and its faces alone: point k is the same place on every person.
    """
    key = (view.topology(), count)
    if key not in _points_of_topology:
        _points_of_topology[key] = sample_surface_points(view.canonical, view.faces, count)
    return _points_of_topology[key]


def place_points(
    view: BodyView, count: int, *, camera_depth: bool = False
) -> tuple[Float[Tensor, "batch points 3"], Float[Tensor, "batch points 3"]]:
    """Locate every body point in the output image and on the rest body.

    Args:
        view: the target body.
        count: how many points stand for the surface.
        camera_depth: give camera depth in metres instead of depth relative to the pelvis (an
            ablation; estimators put the body tens of metres away).

    Returns:
        (u, v, z): u and v in NDC of the image, z in metres behind the pelvis, clipped to 1.5;
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


def place_normals(view: BodyView, count: int) -> Float[Tensor, "batch points 3"]:
    """Compute the outward unit normal at every body point, camera frame."""
    normals = vertex_normals(view.vertices, view.faces)
    return F.normalize(locate_points(body_points(view, count), normals, view.faces), dim=-1)


def warp_images(
    image: Float[Tensor, "batch 3 height width"],
    source: BodyView,
    target: BodyView,
    mask: Float[Tensor, "batch 1 height width"] | None = None,
) -> Float[Tensor, "batch 6 height width"]:
    """Warp every image's person to its target; see `warp_to_pose` and `WarpedPhoto.planes`."""
    worn = on_topology_of(source, target)
    planes = [
        warp_to_pose(
            image[[number]],
            worn.at(number),
            target.at(number),
            None if mask is None else mask[[number]],
        ).planes
        for number in range(len(image))
    ]
    return torch.cat(planes)


def prepare_inputs(
    image: Float[Tensor, "batch 3 height width"],
    source: BodyView | None,
    target: BodyView,
    warped: Float[Tensor, "batch 6 height width"] | None,
    *,
    config: NetworkConfig,
    encode: Callable[[Tensor], Tensor] | None = None,
    mask: Float[Tensor, "batch 1 height width"] | None = None,
) -> ConditionInputs:
    """Compute everything that the network is conditioned on; nothing here depends on the timestep.

    Args:
        image: the source image, in [-1, 1].
        source: the body of the person shown; None where it is not known.
        target: the body wanted, in an image of the same size.
        warped: from `warp_images`; None leaves out the warp.
        config: of the network that will read the result.
        encode: from images to latents; needed where the network reads latents of the warp.
        mask: share of the person shown in each pixel, for the background plate; the bare body's
            outline where it is not given.

    Raises:
        ImageError: the image and a view differ in size.
    """
    size = (image.shape[-2], image.shape[-1])
    for name, view in (("source", source), ("target", target)):
        if view is not None and view.size != size:
            raise ImageError(
                f"The image is {size[0]}x{size[1]} pixels (height x width) but the {name} body's "
                f"camera makes images of {view.size[0]}x{view.size[1]}. Frame both alike."
            )
    ablation = config.ablation
    points, points_canonical = place_points(
        target, config.points, camera_depth=ablation.z_mode == "camera"
    )
    maps = prior_maps(target) if ablation.prior_2d else {}
    warp_latents = None
    if warped is not None and ablation.prior_2d and ablation.warp:
        maps["warp"] = warped[:, : MAP_CHANNELS["warp"]]
        warp_latents = encode(warped[:, :3]) if encode is not None else None
    if source is None:
        source_maps = image.new_zeros(len(image), 4, *size)
    else:
        source_maps = torch.cat([canonical_map(source), mask_map(source)], 1)
    if "plate" in ablation.map_groups and (mask is not None or source is not None):
        maps["plate"] = background_plate(image, source_maps[:, 3:] if mask is None else mask)
    return ConditionInputs(
        image=image,
        source_maps=source_maps,
        points=points,
        points_canonical=points_canonical,
        normals=place_normals(target, config.points) if config.point_normals else None,
        maps=maps,
        warp_latents=warp_latents,
    )
