"""People whom tests look at."""

from math import pi, radians

import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.geometry.camera import intrinsics_matrix


def facing_camera(
    image_size: tuple[int, int],
    transl: tuple[float, float, float],
    focal_px: float,
    *,
    arm_deg: float = 60.0,
    shape: float = 0.0,
) -> HumanParams:
    """Someone upright who looks into the camera, arms lowered from a T so far; all betas alike."""
    pose = torch.zeros(24, 3)
    pose[0, 0] = pi
    pose[16, 2], pose[17, 2] = -radians(arm_deg), radians(arm_deg)
    return HumanParams.single(
        pose=pose,
        betas=torch.full((10,), shape),
        transl=torch.tensor(transl),
        intrinsics=intrinsics_matrix(focal_px, image_size),
        image_size=image_size,
    )
