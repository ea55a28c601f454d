"""Read a body off one image, without keypoints: rough, for people who fill much of the image.

The network looks twice: at the whole image, then, plain and mirrored, at the part where it found
the person.
"""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..geometry.camera import default_focal_px, intrinsics_matrix
from ..geometry.resample import resample
from ..geometry.rotations import matrix_to_axis_angle
from .regress_mirror import read_both_ways
from .regress_network import Regressed, RegressNetwork
from .weights import REGRESSOR

FILLED = 0.75
"""Share of the second look's height or width that the joints fill."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """The part of an image that the network sees: `p` lands at `scale * (p - offset_xy)`."""

    offset_xy: tuple[float, float]
    scale: float
    size: tuple[int, int]

    @classmethod
    def at(cls, low: Tensor, high: Tensor, size: tuple[int, int], filled: float) -> "Look":
        """Centre a box, corners in pixels of the image, and let it fill a share of the look."""
        extent = (high - low).clamp_min(1.0)
        scale = filled * float((extent.new_tensor([size[1], size[0]]) / extent).min())
        corner = (low + high) / 2.0 - extent.new_tensor([size[1], size[0]]) / (2.0 * scale)
        return cls(offset_xy=(float(corner[0]), float(corner[1])), scale=scale, size=size)

    def to_image(self, ndc: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Find positions of the look in the image, pixels."""
        half = ndc.new_tensor([self.size[1], self.size[0]]) / 2.0
        return (ndc + 1.0) * half / self.scale + ndc.new_tensor(self.offset_xy)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A body read off an image."""

    params: HumanParams
    """One person in one frame, camera frame."""
    joints_px: Float[Tensor, "24 2"]
    """Where the network sees each of SMPL's joints, pixels of the image."""


@torch.no_grad()
def regress_body(
    image: Float[Tensor, "3 height width"],
    *,
    network: RegressNetwork | None = None,
    body: BodyModel | None = None,
    focal_px: float | None = None,
) -> Reading:
    """Read the one person of an image.

    Args:
        image: RGB in [-1, 1], of any size.
        network: the bundled one when left out.
        body: whose betas and joints are meant; the bundled one when left out. Betas are those of
            the bundled body: another one gets its mean shape.
        focal_px: focal length of the image; its diagonal when left out.
    """
    network = network or bundled_regressor()
    height, width = image.shape[-2:]
    size = (network.config.height, network.config.width)
    corners = image.new_tensor([[0.0, 0.0], [float(width), float(height)]])
    look = Look.at(corners[0], corners[1], size, 1.0)
    found = network(resample(image[None], look.offset_xy, look.scale, size))
    joints = look.to_image(found.pixels[0])
    look = Look.at(joints.amin(0), joints.amax(0), size, FILLED)
    found = read_both_ways(network, resample(image[None], look.offset_xy, look.scale, size))
    params = place_body(found, 0, look, (height, width), body=body, focal_px=focal_px)
    return Reading(params=params, joints_px=look.to_image(found.pixels[0]))


def place_body(
    found: Regressed,
    row: int,
    look: Look,
    image_size: tuple[int, int],
    *,
    body: BodyModel | None = None,
    focal_px: float | None = None,
) -> HumanParams:
    """Put one of the bodies that were found before the pinhole camera of the whole image.

    The weak camera gives pixels per metre at the pelvis, hence its distance: `z = f / (px / m)`.
    The network sees every person as if straight ahead, so the root turns with the ray.

    Args:
        found: what the network said of the look.
        row: which of its batch.
        look: the part of the image that the network saw.
        image_size: height and width of the whole image, pixels.
        body: as in `regress_body`.
        focal_px: as in `regress_body`.
    """
    body = body or BodyModel.bundled()
    focal_px = focal_px or default_focal_px(image_size)
    camera = found.camera[row]
    per_metre = float(camera[2].exp()) * look.size[0] / 2.0 / look.scale
    middle = camera.new_tensor([image_size[1], image_size[0]]) / 2.0
    pelvis = (look.to_image(camera[:2]) - middle) / focal_px
    ray = (look.to_image(torch.zeros_like(pelvis)) - middle) / focal_px
    rotations = found.rotations[row].clone()
    rotations[0] = turn_to_ray(ray) @ rotations[0]
    betas = (
        found.betas[row] if body.beta_space == "posexfer" else torch.zeros_like(found.betas[row])
    )
    depth = focal_px / per_metre
    rest = body.rest(betas[None])[1][0, 0]
    return HumanParams.single(
        pose=matrix_to_axis_angle(rotations),
        betas=betas,
        transl=torch.cat([pelvis, torch.ones(1)]) * depth - rest,
        intrinsics=intrinsics_matrix(focal_px, image_size),
        image_size=image_size,
        beta_space=body.beta_space,
    )


def regressed_params(found: Regressed, row: int, image_size: tuple[int, int]) -> HumanParams:
    """Put a body before the camera of the very image that the network saw."""
    look = Look(offset_xy=(0.0, 0.0), scale=1.0, size=image_size)
    return place_body(found, row, look, image_size)


def turn_to_ray(ray: Float[Tensor, "2"]) -> Float[Tensor, "3 3"]:
    """Give the smallest rotation that takes straight ahead to the ray `(x, y, 1)`."""
    ahead = torch.cat([ray, torch.ones(1)])
    ahead = ahead / ahead.norm()
    x, y, z = ahead.tolist()
    # Rodrigues about (-y, x, 0), whose length is the sine and z the cosine
    share = 1.0 / (1.0 + z)
    return torch.tensor(
        [
            [1.0 - share * x * x, -share * x * y, x],
            [-share * x * y, 1.0 - share * y * y, y],
            [-x, -y, z],
        ]
    )


@cache
def bundled_regressor() -> RegressNetwork:
    """Load the weights that ship with the package, once."""
    return REGRESSOR.load()[0]
