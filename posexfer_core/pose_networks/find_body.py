"""Find and regress one person anywhere in an image, and say how far the result can be trusted.

The regressor reads many windows of the image; each reading moves its crop to the joints that it
found. Where somebody is, several windows end at the same joints, and readings of crops that are
shifted, resized and mirrored agree; elsewhere they do not. docs/regress.md has the measurements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.view import BodyView
from ..geometry.camera import project_perspective
from ..geometry.crop import Crop, ShrunkImage
from ..geometry.rotations import matrix_to_rotation_6d, rotation_6d_to_matrix
from ..geometry.search_windows import search_windows
from .regressor import FILLED, Prediction, bundled_regressor, params_from_output
from .regressor_flip import flip_output, predict_with_flip
from .regressor_network import BodyRegressor, RegressorOutput

WORKING_PX = 1024
"""Larger images are made smaller, to at most twice this along the longest side."""
ROUNDS = 2
"""Times that a crop is moved to the joints that were found in it."""
VARIANTS = (
    *((FILLED, 0.0, 0.0), (0.6, 0.0, 0.0), (0.9, 0.0, 0.0)),
    *((FILLED, 0.08, 0.04), (FILLED, -0.08, -0.04)),
)
"""Crops whose readings are averaged: share of the side that the joints fill, and their shift as a
share of the person's extent."""
SAME = 0.1
"""Mean distance of joints, in extents, up to which two windows have found the same person."""
MOST_SPREAD = 0.0525
"""Spread up to which a body is worth drawing with."""
FEWEST_WINDOWS = 2
"""Windows that must have found the same person."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundBody:
    """One person of an image, regressed from the image alone."""

    prediction: Prediction
    spread: float
    """Mean of two distances of joints in the image, as shares of the person's extent: of single
    readings from their mean, and of the body's joints from those of the attention maps."""
    windows: int
    """How many windows ended at this person."""

    @property
    def reliable(self) -> bool:
        """Whether the readings agree well enough to draw with the body."""
        return self.spread <= MOST_SPREAD and self.windows >= FEWEST_WINDOWS


@torch.no_grad()
def find_body(
    image: Float[Tensor, "3 height width"],
    *,
    network: BodyRegressor | None = None,
    body: BodyModel | None = None,
    focal_px: float | None = None,
    near: Float[Tensor, "24 2"] | None = None,
) -> FoundBody:
    """Find the person of an image on whom the readings agree best.

    Args:
        image: RGB in [-1, 1], of any size.
        network: the bundled one when left out.
        body: as in `regress_body`.
        focal_px: as in `regress_body`.
        near: joints of the frame before, pixels; only around them the person is looked for.
    """
    network, body = network or bundled_regressor(), body or BodyModel.bundled()
    if near is None:
        windows = search_windows((image.shape[-2], image.shape[-1]))
        boxes = [(image.new_tensor(low), image.new_tensor(high)) for low, high in windows]
    else:
        boxes = [(near.amin(0), near.amax(0))]
    shrunk, size = ShrunkImage.of(image, WORKING_PX), (image.shape[-2], image.shape[-1])
    found = [
        _averaged(shrunk, size, joints, network, body, focal_px)
        for joints in _joints_in_boxes(shrunk, boxes, network, 1.0 if near is None else FILLED)
    ]
    best = min(found, key=lambda one: one.spread)
    return replace(best, windows=sum(_distance(best, other) < SAME for other in found))


def _joints_in_boxes(
    image: ShrunkImage,
    boxes: Sequence[tuple[Tensor, Tensor]],
    network: BodyRegressor,
    filled: float,
) -> list[Float[Tensor, "24 2"]]:
    """Return the joints, in pixels of the image, that the search from each box ends at.

    Args:
        image: that is searched.
        boxes: upper left and lower right corner of each, pixels.
        network: reads each crop.
        filled: share of the first crop's side that a box fills.
    """
    size = (network.config.height, network.config.width)
    crops = [Crop.around(low, high, size, filled) for low, high in boxes]
    joints = _to_image(network(_cuts(image, crops)), crops)
    for _ in range(ROUNDS):
        crops = [Crop.around(one.amin(0), one.amax(0), size, FILLED) for one in joints]
        joints = _to_image(predict_with_flip(network, _cuts(image, crops)), crops)
    return list(joints)


def _averaged(
    image: ShrunkImage,
    image_size: tuple[int, int],
    joints: Float[Tensor, "24 2"],
    network: BodyRegressor,
    body: BodyModel,
    focal_px: float | None,
) -> FoundBody:
    """Average the readings of several crops around joints, each plain and mirrored."""
    low, high = joints.amin(0), joints.amax(0)
    extent = (high - low).max().clamp_min(1.0)
    size = (network.config.height, network.config.width)
    crops = []
    for filled, *shift in VARIANTS:
        moved = extent * extent.new_tensor(shift)
        crops.append(Crop.around(low + moved, high + moved, size, filled))
    cuts = _cuts(image, crops)
    plain, mirrored = network(cuts), flip_output(network(cuts.flip(-1)))
    each = torch.cat([_to_image(plain, crops), _to_image(mirrored, crops)])
    mean = each.mean(0)
    params = params_from_output(
        _mean_output(plain, mirrored), 0, image_size, crop=crops[0], body=body, focal_px=focal_px
    )
    view = BodyView.of(params, body)
    shown = project_perspective(view.joints, view.intrinsics)[0, : len(mean)]
    apart = (each - mean).norm(dim=-1).mean() + (shown - mean).norm(dim=-1).mean()
    return FoundBody(
        prediction=Prediction(params=params, joints_px=mean),
        spread=float(torch.nan_to_num(apart / (2.0 * extent), nan=torch.inf)),
        windows=1,
    )


def _mean_output(plain: RegressorOutput, mirrored: RegressorOutput) -> RegressorOutput:
    """Average rotations and betas over all readings, the camera over the first crop's two."""

    def mean(name: str) -> Tensor:
        both = torch.cat([getattr(plain, name), getattr(mirrored, name)])
        return both.mean(0, keepdim=True)

    turns = torch.cat([matrix_to_rotation_6d(one.rotations) for one in (plain, mirrored)])
    return RegressorOutput(
        rotations=rotation_6d_to_matrix(turns.mean(0, keepdim=True)),
        betas=mean("betas"),
        camera=(plain.camera[:1] + mirrored.camera[:1]) / 2.0,
        joints_ndc=plain.joints_ndc[:1],
        maps=plain.maps[:1],
        joints=mean("joints"),
    )


def _cuts(
    image: ShrunkImage, crops: Sequence[Crop]
) -> Float[Tensor, "crops 3 crop_height crop_width"]:
    return torch.cat([image.cut(crop) for crop in crops])


def _to_image(output: RegressorOutput, crops: Sequence[Crop]) -> Float[Tensor, "crops 24 2"]:
    pairs = zip(crops, output.joints_ndc, strict=True)
    return torch.stack([crop.to_image(joints) for crop, joints in pairs])


def _distance(one: FoundBody, other: FoundBody) -> float:
    """Return the mean distance of two people's joints, in extents of the first."""
    joints = one.prediction.joints_px
    extent = (joints.amax(0) - joints.amin(0)).max().clamp_min(1.0)
    return float((joints - other.prediction.joints_px).norm(dim=-1).mean() / extent)
