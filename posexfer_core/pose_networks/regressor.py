"""Regress a body from one image, without keypoints: rough, for people who fill much of the image.

Two passes: over the whole image, then, with flip augmentation, over the crop around the joints
that the first pass found.
"""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..geometry.camera import default_focal_px, intrinsics_matrix
from ..geometry.crop import Crop
from ..geometry.rotations import matrix_to_axis_angle
from .regressor_flip import predict_with_flip
from .regressor_network import BodyRegressor, RegressorOutput
from .weights import REGRESSOR

FILLED = 0.75
"""Share of the second crop's height or width that the joints fill."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """A body regressed from an image."""

    params: HumanParams
    """One person in one frame, camera frame."""
    joints_px: Float[Tensor, "24 2"]
    """SMPL's joints in the image by their attention maps, pixels."""


@torch.no_grad()
def regress_body(
    image: Float[Tensor, "3 height width"],
    *,
    network: BodyRegressor | None = None,
    body: BodyModel | None = None,
    focal_px: float | None = None,
) -> Prediction:
    """Regress the body of the one person of an image.

    Args:
        image: RGB in [-1, 1], of any size.
        network: the bundled one when left out.
        body: the model that the parameters are of; the bundled one when left out. Betas are
            regressed for the bundled body: another one gets its mean shape.
        focal_px: focal length of the image; its diagonal when left out.
    """
    network = network or bundled_regressor()
    height, width = image.shape[-2:]
    size = (network.config.height, network.config.width)
    corners = image.new_tensor([[0.0, 0.0], [float(width), float(height)]])
    crop = Crop.around(corners[0], corners[1], size, 1.0)
    output = network(crop.cut(image[None]))
    joints = crop.to_image(output.joints_ndc[0])
    crop = Crop.around(joints.amin(0), joints.amax(0), size, FILLED)
    output = predict_with_flip(network, crop.cut(image[None]))
    params = params_from_output(output, 0, (height, width), crop=crop, body=body, focal_px=focal_px)
    return Prediction(params=params, joints_px=crop.to_image(output.joints_ndc[0]))


def params_from_output(
    output: RegressorOutput,
    row: int,
    image_size: tuple[int, int],
    *,
    crop: Crop | None = None,
    body: BodyModel | None = None,
    focal_px: float | None = None,
) -> HumanParams:
    """Place one body of an output before the pinhole camera of the whole image.

    The weak camera gives pixels per metre at the pelvis, hence its distance: `z = f / (px / m)`.
    The network regresses the root as if the person were straight ahead, so the root turns with the
    ray to the crop's centre.

    Args:
        output: of the network.
        row: which body of its batch.
        image_size: height and width of the whole image, pixels.
        crop: the part of the image that was the network's input; all of it when left out.
        body: as in `regress_body`.
        focal_px: as in `regress_body`.
    """
    crop = crop or Crop(offset_xy=(0.0, 0.0), scale=1.0, size=image_size)
    body = body or BodyModel.bundled()
    focal_px = focal_px or default_focal_px(image_size)
    camera = output.camera[row]
    per_metre = float(camera[2].exp()) * crop.size[0] / 2.0 / crop.scale
    centre = camera.new_tensor([image_size[1], image_size[0]]) / 2.0
    pelvis = (crop.to_image(camera[:2]) - centre) / focal_px
    ray = (crop.to_image(torch.zeros_like(pelvis)) - centre) / focal_px
    rotations = output.rotations[row].clone()
    rotations[0] = turn_to_ray(ray) @ rotations[0]
    betas = output.betas[row]
    if body.beta_space != "posexfer":
        betas = torch.zeros_like(betas)
    rest_pelvis = body.rest(betas[None])[1][0, 0]
    return HumanParams.single(
        pose=matrix_to_axis_angle(rotations),
        betas=betas,
        transl=torch.cat([pelvis, torch.ones(1)]) * (focal_px / per_metre) - rest_pelvis,
        intrinsics=intrinsics_matrix(focal_px, image_size),
        image_size=image_size,
        beta_space=body.beta_space,
    )


def turn_to_ray(ray: Float[Tensor, "2"]) -> Float[Tensor, "3 3"]:
    """Return the smallest rotation that takes the z axis to the ray `(x, y, 1)`."""
    ahead = torch.cat([ray, torch.ones(1)])
    ahead = ahead / ahead.norm()
    x, y, z = ahead.tolist()
    # Rodrigues' formula about (-y, x, 0): its length is the sine, z the cosine
    share = 1.0 / (1.0 + z)
    return torch.tensor(
        [
            [1.0 - share * x * x, -share * x * y, x],
            [-share * x * y, 1.0 - share * y * y, y],
            [-x, -y, z],
        ]
    )


@cache
def bundled_regressor() -> BodyRegressor:
    """Load the weights that ship with the package, once."""
    return REGRESSOR.load()[0]
