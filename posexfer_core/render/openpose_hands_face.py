"""OpenPose's keypoints of hands and faces, drawn as DWPose draws them."""

from colorsys import hsv_to_rgb

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.hands_face import FINGERS
from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from ..geometry.camera import project_perspective
from ..geometry.rasterize import Visibility
from .openpose import Skeleton, draw_over, keypoint_visibility

FINGER_JOINTS = {"thumb": 12, "index": 0, "middle": 3, "ring": 9, "pinky": 6}
"""OpenPose's fingers, in its order → the first of their three joints in SMPL-X's order."""
STRAIGHT = {"thumb": (0.3, 0.58, 0.8)}
STRAIGHT_FINGER = (0.5, 0.73, 0.88)
"""Where the joints of a straight finger lie between wrist and tip."""
FACE_TOLERANCE_M = 0.03
"""How far behind what is seen a point of the face may lie; unlike joints they lie on the skin."""

HAND_LIMBS = [(joint if joint % 4 else 0, joint + 1) for joint in range(20)]
HAND = Skeleton(
    HAND_LIMBS,
    [tuple(255.0 * v for v in hsv_to_rgb(n / 20, 1.0, 1.0)) for n in range(20)],
    21 * [(0.0, 0.0, 255.0)],
)
"""Lines of half the dots' radius over four, in the colours of the rainbow, with blue dots."""
FACE = Skeleton([], [], 51 * [(255.0, 255.0, 255.0)])


def hand_keypoints(view: BodyView) -> Float[Tensor, "batch hands 21 3"]:
    """Locate wrist and four points of each finger, thumb first; left hand, then right.

    A body whose fingers do not move holds them straight; one without fingertips has no hands.

    Returns:
        Metres, camera frame.
    """
    moving = view.located("fingers")
    hands = []
    for number, side in enumerate("lr"):
        tips = [view.keypoint_vertices.get(f"{side}{finger}") for finger in FINGER_JOINTS]
        wrist = view.joints[:, [JOINT_INDEX[f"{side}_wrist"]]]
        points = [wrist]
        for (finger, first), tip in zip(FINGER_JOINTS.items(), tips, strict=True):
            if tip is None:
                return view.joints.new_zeros(len(view), 0, 21, 3)
            end = view.vertices[:, [tip]]
            if moving is None:
                share = end.new_tensor(STRAIGHT.get(finger, STRAIGHT_FINGER))[:, None]
                points += [wrist + share * (end - wrist), end]
            else:
                start = number * FINGERS // 2 + first
                points += [moving[:, start : start + 3], end]
        hands.append(torch.cat(points, 1))
    return torch.stack(hands, 1)


def draw_hands(
    images: Float[Tensor, "batch 3 height width"],
    view: BodyView,
    dot_px: float,
    seen: Visibility | None,
) -> None:
    """Draw both hands into images; hidden ones too where nothing says what is seen."""
    points = hand_keypoints(view)
    for hand in range(points.shape[1]):
        _draw(images, view, points[:, hand], HAND, dot_px, 0.12, seen)


def draw_face(
    images: Float[Tensor, "batch 3 height width"],
    view: BodyView,
    dot_px: float,
    seen: Visibility | None,
) -> None:
    """Draw brows, nose, eyes and mouth, where the body has them: SMPL-X's files do."""
    points = view.located("face")
    if points is not None:
        _draw(images, view, points, FACE, 0.75 * dot_px, FACE_TOLERANCE_M, seen)


def _draw(
    images: Tensor,
    view: BodyView,
    points: Float[Tensor, "batch points 3"],
    skeleton: Skeleton,
    dot_px: float,
    tolerance_m: float,
    seen: Visibility | None,
) -> None:
    pixels = project_perspective(points, view.intrinsics)
    keypoints = torch.cat([pixels, points[..., 2:]], -1)
    if seen is None:
        shown = points[..., 2] > 0
    else:
        shown = keypoint_visibility(keypoints, seen, tolerance_m=tolerance_m)
    draw_over(images, pixels, shown, skeleton, limb_px=dot_px / 4.0, dot_px=dot_px)
