"""A camera round a target, as the pose editor moves it, and as a pinhole camera."""

import math
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry.camera import focal_from_fov

NEAREST_M = 0.3


@dataclass(frozen=True, kw_only=True)
class OrbitCamera:
    """A camera that looks at a target in a world whose y is up, and is never rolled.

    Worked number: yaw 0, pitch 0, distance 2 and target (0, 1, 0) stand at (0, 1, 2) and look
    along -z, at the front of a person who faces +z.
    """

    yaw: float
    """Radians about the world's y."""
    pitch: float
    """Radians; above 0 looks down."""
    distance: float
    """Metres from the target."""
    target: tuple[float, float, float]
    """Metres, world."""
    fov_deg: float
    """Vertical field of view, degrees, as of a principal point in the middle."""
    centre: tuple[float, float] = (0.5, 0.5)
    """Principal point in shares of width and height."""
    pixel_aspect: float = 1.0
    """Horizontal over vertical focal length."""

    @classmethod
    def of(
        cls,
        intrinsics: Float[Tensor, "3 3"],
        image_size: tuple[int, int],
        camera_from_world: Float[Tensor, "4 4"],
        distance: float,
    ) -> "OrbitCamera":
        """Describe a pinhole camera; a roll and a skew are lost.

        Args:
            intrinsics: pixels.
            image_size: height and width, pixels.
            camera_from_world: of a world whose y is up.
            distance: of the target from the camera, metres.
        """
        height, width = image_size
        fx, fy, cx, cy = (float(intrinsics[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
        turn = camera_from_world[:3, :3].double()
        back = -turn[2]
        distance = max(distance, NEAREST_M)
        target = -turn.T @ camera_from_world[:3, 3].double() - distance * back
        return cls(
            yaw=math.atan2(float(back[0]), float(back[2])),
            pitch=math.asin(max(-1.0, min(1.0, float(back[1])))),
            distance=distance,
            target=(float(target[0]), float(target[1]), float(target[2])),
            fov_deg=math.degrees(2.0 * math.atan2(height / 2.0, fy)),
            centre=(cx / width, cy / height),
            pixel_aspect=fx / fy,
        )

    def intrinsics(self, image_size: tuple[int, int]) -> Float[Tensor, "3 3"]:
        """Give the pinhole matrix for an image of (height, width), pixels."""
        height, width = image_size
        fy = focal_from_fov(math.radians(self.fov_deg), height)
        cx, cy = self.centre[0] * width, self.centre[1] * height
        return torch.tensor([[self.pixel_aspect * fy, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])

    def camera_from_world(self) -> Float[Tensor, "4 4"]:
        """Give the transform to OpenCV's camera frame (x right, y down, z forward)."""
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        back = torch.tensor(
            [math.sin(self.yaw) * cosine, sine, math.cos(self.yaw) * cosine], dtype=torch.float64
        )
        right = back.new_tensor([math.cos(self.yaw), 0.0, -math.sin(self.yaw)])
        turn = torch.stack([right, -torch.linalg.cross(back, right), -back])
        camera = torch.eye(4, dtype=torch.float64)
        camera[:3, :3] = turn
        camera[:3, 3] = -turn @ (back.new_tensor(self.target) + self.distance * back)
        return camera.float()

    def as_dict(self) -> dict[str, object]:
        """Give what JSON holds of it."""
        return {**asdict(self), "target": list(self.target), "centre": list(self.centre)}
