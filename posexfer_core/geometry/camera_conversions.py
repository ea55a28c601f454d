"""Conversion of other tools' cameras to pinhole intrinsics, an image size and extrinsics."""

import numpy as np
from jaxtyping import Float

from .so3 import exp_map

VIEW_SIZE = (768, 512)
"""Height and width of the image made up for motions that come without a camera."""
VIEW_FOCAL = 1.5
"""Its focal length, in heights of the image."""
VIEW_DISTANCE_M = 4.2
"""How far it stands from the pelvis: 1.3 m above or below still lies inside."""
FLAT_M_PER_PX = 1.6
"""Metres of distance per pixel per metre at which a pinhole passes for a weak perspective: a
point 0.9 m beside the pelvis and 0.5 m before it moves by 0.9 * 0.5 / 1.6 = 0.3 px."""
Lens = tuple[Float[np.ndarray, "frames 3 3"], tuple[int, int]]
"""Intrinsics of every frame, and the image's height and width, pixels."""
Y_UP = np.diag([1.0, -1.0, -1.0])
"""From a camera frame (y down, z forward) to the same view with y up, and back."""
SURELY_UPRIGHT = 0.75
"""Share of the mean spine along another axis than the usual one from which that is up."""
UP = {
    **{"y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0), "-y": (0.0, -1.0, 0.0)},
    **{"x": (1.0, 0.0, 0.0), "-x": (-1.0, 0.0, 0.0), "-z": (0.0, 0.0, -1.0)},
}
"""Which way is up, by the name of the axis; "-y" is OpenCV's camera frame."""
USUALLY_UP = ("y", "z", "-y")
"""Of motions; who has the spine along another axis lies."""


def pinhole(
    focal_px: float | np.ndarray,
    size: tuple[int, int],
    count: int,
    center: tuple[float, float] | np.ndarray | None = None,
) -> Float[np.ndarray, "frames 3 3"]:
    """Build intrinsics for every frame; the principal point is the middle of the image.

    Args:
        focal_px: one number, one for each frame, or `(frames, 2)` for x and y.
        size: (height, width).
        count: frames.
        center: principal point, pixels, where it is elsewhere: one or one for each frame.
    """
    focal = np.asarray(focal_px, dtype=np.float64)
    focal = np.broadcast_to(focal if focal.ndim == 2 else focal.reshape(-1, 1), (count, 2))
    middle = (size[1] / 2, size[0] / 2) if center is None else center
    matrices = np.zeros((count, 3, 3))
    matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, 2, 2] = focal[:, 0], focal[:, 1], 1.0
    matrices[:, :2, 2] = np.asarray(middle)
    return matrices


def far_pinhole(
    scale_px: Float[np.ndarray, "frames"],
    offset_px: Float[np.ndarray, "frames 2"],
    pelvis: Float[np.ndarray, "frames 3"],
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3"]]:
    """Convert a weak perspective to a pinhole and a translation, to 0.3 px.

    The weak perspective is `u = scale x + offset`, whatever its own convention. The pinhole looks
    straight at the pelvis from a distance at which depth hardly matters.

    Args:
        scale_px: pixels per metre.
        offset_px: pixel of the body's origin.
        pelvis: where the pelvis lies in the body's own frame, before the shift, metres.

    Returns:
        Intrinsics and translation.
    """
    distance = np.clip(FLAT_M_PER_PX * scale_px, 25.0, 4000.0)
    center = offset_px + scale_px[:, None] * pelvis[:, :2]
    intrinsics = pinhole(scale_px * distance, (0, 0), len(scale_px), center)
    transl = np.column_stack([-pelvis[:, :2], distance - pelvis[:, 2]])
    return intrinsics, transl


def crop_camera_translation(
    camera: Float[np.ndarray, "frames 3"],
    box_center: Float[np.ndarray, "frames 2"],
    box_size: Float[np.ndarray, "frames"],
    size: tuple[int, int],
    focal_px: float | np.ndarray,
) -> Float[np.ndarray, "frames 3"]:
    """Turn a weak-perspective camera of a square crop into a translation for the whole image.

    With b the side of the box: `tz = 2 f / (b s)`, `tx' = tx + 2 (cx - W/2) / (b s)`, the same for
    y. Made for `s (x + tx)` cameras and a principal point at the centre of the image. A box of
    200 px at (500, 300) in an image of 400 rows and 800 columns, camera (1, 0, 0), f = 1000:
    (1, 1, 10).

    Args:
        camera: `(s, tx, ty)` in the crop, NDC per metre and metres.
        box_center: pixels of the whole image.
        box_size: side of the square box, pixels of the whole image.
        size: (height, width) of the whole image.
        focal_px: focal length wanted for the whole image.

    Returns:
        Metres, to be added to body points before the perspective projection.
    """
    middle = np.array([size[1] / 2, size[0] / 2])
    px_per_unit = box_size * camera[:, 0]
    shift = camera[:, 1:] + 2 * (box_center - middle) / px_per_unit[:, None]
    return np.column_stack([shift, 2 * focal_px / px_per_unit])


def rigid(
    rotation: Float[np.ndarray, "frames 3 3"], shift: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 4 4"]:
    """Build rigid transforms `x -> R x + t`."""
    matrices = np.tile(np.eye(4), (len(rotation), 1, 1))
    matrices[:, :3, :3], matrices[:, :3, 3] = rotation, shift
    return matrices


def solve_pinhole(
    points: Float[np.ndarray, "count 3"], pixels: Float[np.ndarray, "count 2"]
) -> tuple[float, np.ndarray] | None:
    """Find focal length and principal point from points and where they were seen.

    `u = f x / z + cx` and `v = f y / z + cy` are linear in f, cx, cy. None where the system is
    singular or the residual exceeds 2 px.
    """
    depth = points[:, 2]
    if len(points) < 4 or not (depth > 1e-3).all():
        return None
    rays = points[:, :2] / depth[:, None]
    ones, zeros = np.ones(len(points)), np.zeros(len(points))
    left = np.concatenate(
        [np.column_stack([rays[:, 0], ones, zeros]), np.column_stack([rays[:, 1], zeros, ones])]
    )
    right = pixels.T.ravel()
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return None
    solution, _, rank, _ = np.linalg.lstsq(left, right, rcond=None)
    if rank < 3 or solution[0] <= 1.0 or np.abs(left @ solution - right).max() > 2.0:
        return None
    return float(solution[0]), solution[1:]


def nearest_axis(upright: Float[np.ndarray, "3"], surely: float) -> str | None:
    """Name the usual axis that has more than a share of a vector; None where none has.

    Args:
        upright: mean of unit vectors that point up where people stand.
        surely: the share.
    """
    nearest = max(USUALLY_UP, key=lambda name: float(upright @ np.array(UP[name])))
    return nearest if upright @ np.array(UP[nearest]) > surely else None


def up_axis(root: Float[np.ndarray, "frames 3"], surely: float = -1.0, usual: str = "y") -> str:
    """Guess which way is up in a world: the axis nearest to the spines of all frames.

    Args:
        root: rotation of the body in the world, axis-angle.
        surely: how much of the mean spine must lie along an axis other than the usual.
        usual: taken where no axis has that much.
    """
    return nearest_axis(exp_map(root)[:, :, 1].mean(axis=0), surely) or usual


def same_view(
    pelvis: Float[np.ndarray, "frames 3"], size: tuple[int, int] | None
) -> tuple[Lens, Float[np.ndarray, "frames 4 4"]]:
    """Make up a camera for people whose rotation in a camera frame is known, but not their place.

    It looks along the file's own z axis at the pelvis of every frame.

    Returns:
        Lens, camera from world.
    """
    shift = np.array([0.0, 0.0, VIEW_DISTANCE_M]) - pelvis
    matrices = rigid(np.tile(np.eye(3), (len(pelvis), 1, 1)), shift)
    return _view_lens(size, len(pelvis)), matrices


def front_view(
    root: Float[np.ndarray, "frames 3"],
    pelvis: Float[np.ndarray, "frames 3"],
    up: str,
    size: tuple[int, int] | None,
) -> tuple[Lens, Float[np.ndarray, "frames 4 4"]]:
    """Make up a camera for a motion that comes without one.

    It stands level before the person of the first frame, looks at the pelvis, and follows along
    the ground; the world stays the file's own.

    Args:
        root: rotation of the body in the world, axis-angle.
        pelvis: its place in the world, metres.
        up: a name in `UP`.
        size: (height, width) of the image; `VIEW_SIZE` where None.

    Returns:
        Lens, camera from world.
    """
    above = np.array(UP[up])
    heading = exp_map(root[:1])[0, :, 2]
    heading = heading - (heading @ above) * above
    if np.linalg.norm(heading) < 0.1:  # lies on the back or the front
        heading = np.roll(above, 1) - (np.roll(above, 1) @ above) * above
    heading = heading / np.linalg.norm(heading)
    down, forward = -above, -heading
    rotation = np.stack([np.cross(down, forward), down, forward])
    height = (pelvis[0] @ above) * above
    ground = pelvis - (pelvis @ above)[:, None] * above
    place = ground + height + VIEW_DISTANCE_M * heading
    matrices = rigid(np.tile(rotation, (len(root), 1, 1)), -place @ rotation.T)
    return _view_lens(size, len(root)), matrices


def _view_lens(size: tuple[int, int] | None, count: int) -> Lens:
    size = size or VIEW_SIZE
    return pinhole(VIEW_FOCAL * size[0], size, count), size
