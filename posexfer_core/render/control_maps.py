"""Maps painted as control models were trained to read them: the one painter of node and command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.view import BodyView
from ..conventions import JOINT_COUNT
from .limbs import paint_limbs
from .maps import canonical_map, mask_map, normal_map
from .openpose import BODY, draw_over, keypoint_visibility, keypoints18
from .openpose_hands_face import FACE_TOLERANCE_M, draw_face, draw_hands
from .part_labels import parts_map

Hiding = Literal["face", "everything", "nothing"]
Axes = Literal["red left", "red right"]
Greys = Literal["body", "scene"]
Limbs = Literal["standard", "wide"]
Points = Literal["body", "hands", "hands and face"]

FARTHEST = 0.25
"""Grey of the body's farthest point in a depth image; the background is black."""
FLAT = (0.5, 0.5, 1.0)
"""Background of a normal image: a wall that faces the camera."""
FACE = (0, 14, 15, 16, 17)
"""Nose, eyes and ears among OpenPose's keypoints."""
LIMB_RADIUS = 4.0
"""Half the width of OpenPose's limbs, pixels, where the shorter side is 512."""


@dataclass(frozen=True, kw_only=True)
class MapStyle:
    """The conventions in which control models differ."""

    openpose_hides: Hiding = "face"
    """Keypoints that OpenPose leaves out where the body hides them: "face" nose, eyes and ears, as
    detectors do for people seen from the side or from behind; "everything" joints too; "nothing"
    draws all that lies before the camera."""
    openpose_limbs: Limbs = "standard"
    """See `limb_radius`."""
    openpose_points: Points = "body"
    """What "openpose" and "limbs" show besides the body's 18 keypoints: 21 of each hand, and those
    of brows, nose, eyes and mouth where the body has them."""
    normal_axes: Axes = "red left"
    """"red left" is ScanNet's, which ControlNet 1.1's normal model was trained on; "red right" is
    that of OpenGL and of most renderers."""
    depth_greys: Greys = "body"
    """See `grey_depth`."""


def paint_maps(
    view: BodyView,
    names: Sequence[str],
    style: MapStyle = MapStyle(),
    *,
    beside: Sequence[BodyView] = (),
    progress: Callable[[int], object] = lambda frames: None,
) -> dict[str, Float[Tensor, "batch 3 height width"]]:
    """Paint control maps of every frame, one frame at a time.

    Depth has one scale for all frames, so that a sequence does not flicker.

    Args:
        view: one body per frame.
        names: of `MAPS`.
        style: conventions.
        beside: further people in the same images, as many frames each; the nearer one is in front.
        progress: called with 1 after each frame.

    Returns:
        RGB in [0, 1].
    """
    frames: list[dict[str, Tensor]] = []
    everybody = [view, *beside]
    for number in range(len(view)):
        people = [one.at(number) for one in everybody]
        people.sort(key=lambda one: -float(one.root_depth))
        frame = _Frame(BodyView.together(people), people, everybody)
        frames.append({name: PAINTERS[name](frame, style) for name in names})
        progress(1)
        del people, frame  # what a large image sees fills the memory
    maps = {name: _joined([painted.pop(name) for painted in frames]) for name in names}
    if "depth" in maps:
        maps["depth"] = grey_depth(maps["depth"], style.depth_greys).expand(-1, 3, -1, -1)
    return maps


def _joined(frames: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(frames)) if len(frames) > 1 else frames[0]


class _Frame(NamedTuple):
    """One image."""

    view: BodyView
    """All people as one surface."""
    people: Sequence[BodyView]
    """The farthest first."""
    everybody: Sequence[BodyView]
    """The people of all frames."""


Painter = Callable[[_Frame, MapStyle], Tensor]


def disparity_map(view: BodyView) -> Float[Tensor, "batch 1 height width"]:
    """Draw 1 / z, per metre; 0 off the body, as if what lies behind it were infinitely far."""
    seen = 1.0 / view.visibility.depth.clamp(min=1e-3)
    return torch.where(view.visibility.mask, seen, 0.0)[:, None]


def grey_depth(
    disparity: Float[Tensor, "batch 1 height width"], greys: Greys = "body"
) -> Float[Tensor, "batch 1 height width"]:
    """Turn 1 / z into grey, the nearest point of all frames white, the background black.

    Even in 1 / z, as MiDaS and Depth Anything are. With points at 2 m and 4 m, "body" gives 1 and
    0.25, "scene" gives 1 and 0.5.

    Args:
        disparity: from `disparity_map`.
        greys: "body" spreads the greys from `FARTHEST` to white over the bodies; "scene" goes
            from white at the nearest point to black at infinity, as an estimator sees a person
            before a far background.
    """
    mask = disparity > 0
    if not bool(mask.any()):
        return disparity
    near = disparity.max()
    if greys == "scene":
        return disparity / near
    far = disparity[mask].min()
    share = (disparity - far) / (near - far).clamp(min=1e-9)
    return torch.where(mask, FARTHEST + (1.0 - FARTHEST) * share, 0.0)


def _in_bands(paint: Callable[[BodyView, MapStyle], Tensor]) -> Painter:
    """Paint some rows after the other: a map is much smaller than what it is computed from."""

    def painted(frame: _Frame, style: MapStyle) -> Tensor:
        image = torch.empty(0)
        for rows, seen in frame.view.visibility.bands():
            part = paint(frame.view.seeing(seen), style)
            if rows.start == 0:
                image = part.new_empty(*part.shape[:2], *frame.view.size)
            image[..., rows, :] = part
        return image

    return painted


def paint_normal(
    view: BodyView,
    style: MapStyle = MapStyle(),
) -> Float[Tensor, "batch 3 height width"]:
    """Paint blue towards the camera and green up; red as `MapStyle.normal_axes` says."""
    signs = [-1.0 if style.normal_axes == "red left" else 1.0, -1.0, -1.0]
    painted = 0.5 + 0.5 * view.vertices.new_tensor(signs)[:, None, None] * normal_map(view)
    flat = painted.new_tensor(FLAT)[:, None, None]
    return torch.where(view.visibility.mask[:, None], painted, flat)


def paint_openpose(
    view: BodyView, style: MapStyle = MapStyle(), people: Sequence[BodyView] = ()
) -> Float[Tensor, "batch 3 height width"]:
    """Draw OpenPose's 18 keypoints in its colours and widths, on black.

    Args:
        view: what hides keypoints.
        style: conventions.
        people: whose keypoints are drawn, one over the other; left out: those of `view`.
    """
    images = view.vertices.new_zeros(len(view), 3, *view.size)
    radius_px = limb_radius(view.size, style.openpose_limbs)
    for one in people or [view]:
        keypoints = keypoints18(one)
        shown = keypoints[..., 2] > 0
        if style.openpose_hides == "everything":
            shown = keypoint_visibility(keypoints, view.visibility)
        if style.openpose_hides != "nothing":
            face = keypoint_visibility(keypoints, view.visibility, tolerance_m=FACE_TOLERANCE_M)
            shown[:, list(FACE)] &= face[:, list(FACE)]
        draw_over(images, keypoints[..., :2], shown, BODY, limb_px=radius_px, dot_px=radius_px)
        _draw_points(images, one, view, style)
    return images


def _paint_limbs(frame: _Frame, style: MapStyle) -> Float[Tensor, "batch 3 height width"]:
    images = paint_limbs(frame.people, frame.everybody)
    for one in frame.people:
        _draw_points(images, one, frame.view, style)
    return images


def _draw_points(images: Tensor, view: BodyView, hiding: BodyView, style: MapStyle) -> None:
    """Draw what the style shows of hands and face over a skeleton."""
    if style.openpose_points == "body":
        return
    dot_px = limb_radius(view.size, "standard")
    all_or_seen = None if style.openpose_hides == "nothing" else hiding.visibility
    draw_hands(images, view, dot_px, all_or_seen)
    if style.openpose_points == "hands and face":
        draw_face(images, view, dot_px, all_or_seen)


def limb_radius(size: tuple[int, int], limbs: Limbs) -> float:
    """Return half the width of a limb, which is the radius of a keypoint, pixels.

    Detectors draw 4 px into an image whose shorter side is 512, and the image is resized to
    what is drawn: "standard" is 4 px at 512x768 and 8 px at 1024x1024. xinsir's SDXL models were
    trained on wider limbs, `4 * min(2 + longer // 1000, 7)` px from 500 px on: "wide" is 8 px at
    512x768 and 12 px at 1024x1024.
    """
    if limbs == "standard":
        return max(LIMB_RADIUS * min(size) / 512.0, 1.0)
    longer = max(size)
    return LIMB_RADIUS * (1 if longer < 500 else min(2 + longer // 1000, 7))


def paint_parts(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """One colour for each of the 24 parts, far apart in hue for neighbours."""
    hue = torch.arange(JOINT_COUNT, device=view.vertices.device) * 0.618034 % 1.0
    turns = torch.stack([hue, hue + 1 / 3, hue + 2 / 3], dim=1)
    palette = 0.55 + 0.4 * torch.cos(2 * torch.pi * turns)
    labels = parts_map(view)
    return palette[labels.clamp(min=0)].movedim(-1, 1) * (labels >= 0)[:, None]


def paint_canonical(view: BodyView) -> Float[Tensor, "batch 3 height width"]:
    """Red, green and blue for x, y and z on the rest body; one colour per place of the skin."""
    return (0.5 + 0.45 * canonical_map(view)).clamp(0.0, 1.0) * mask_map(view)


PAINTERS: dict[str, Painter] = {
    "depth": _in_bands(lambda view, _: disparity_map(view)),
    "normal": _in_bands(paint_normal),
    "openpose": lambda frame, style: paint_openpose(frame.view, style, frame.people),
    "mask": lambda frame, _: mask_map(frame.view).expand(-1, 3, -1, -1),
    "parts": _in_bands(lambda view, _: paint_parts(view)),
    "canonical": _in_bands(lambda view, _: paint_canonical(view)),
    "limbs": _paint_limbs,
}
"""From one frame and the style to an image."""
MAPS = tuple(PAINTERS)
"""Names of the control maps."""
