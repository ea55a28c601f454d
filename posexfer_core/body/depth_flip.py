"""Depth flips: the same image of the joints, another limb in front.

Under any camera the far end of a bone has two places on the ray through its pixel (Taylor, CVIU
2000; Sminchisescu and Triggs, CVPR 2003). Taking the other one keeps every 2D keypoint and every
bone length, so no 2D pose system can tell the two apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ParamsError
from ..geometry.rasterize import rasterize
from ..geometry.so3 import exp_map, log_map, swing
from .joints import LIMB_CHAINS, PARENT_INDEX, PARENTS, TRUNK, LimbName
from .model import BodyModel, pose_joints
from .params import HumanParams
from .view import BodyView


def flip_limb_depth(
    params: HumanParams, body: BodyModel, limb: LimbName, *, minimum_m: float = 0.05
) -> HumanParams | None:
    """Move a limb to other roots on its pixel rays: same 2D joints, same bones, other depth.

    Of the possible places of the middle joint and the end joint (elbow and wrist, knee and
    ankle) it takes those that move the end joint furthest in depth; hand or foot takes the place
    that changes the wrist's or ankle's angle least. The limb's joints turn by the smallest
    rotation that does this, and the upper bone turns about itself, so that elbow or knee still
    bends the way it did. The limb may pass through the body: see `order_change_mask`.

    Args:
        params: one person in one frame.
        body: the body that the betas are of.
        limb: "left_arm", "right_arm", "left_leg" or "right_leg": the person's own sides.
        minimum_m: flips that move the end joint less than this in depth do not count.

    Returns:
        The twin, or None when the limb has no other place that counts.
    """
    best = deepest_twin(depth_twins(params, body, limb), minimum_m=minimum_m)
    return None if best is None else best.params


@dataclass(frozen=True, kw_only=True)
class DepthTwin:
    """Another pose with the same 2D joints."""

    params: HumanParams
    depth_change_m: float
    """How far the end joint (wrist, ankle) moved along the camera axis, metres."""


def depth_twins(params: HumanParams, body: BodyModel, limb: LimbName) -> list[DepthTwin]:
    """Find every other place of one limb that keeps its 2D joints and its bone lengths.

    There are up to three: middle joint and end joint each have two roots on their pixel rays.
    """
    betas = params.betas[:1, 0].to(body.v_template)
    return skeleton_twins(params, body.rest(betas)[1][0], limb)


def deepest_twin(twins: Sequence[DepthTwin], *, minimum_m: float = 0.05) -> DepthTwin | None:
    """Choose the twin whose end joint moves furthest in depth; None where none moves so far."""
    best = max(twins, key=lambda twin: twin.depth_change_m, default=None)
    return best if best is not None and best.depth_change_m >= minimum_m else None


def skeleton_twins(
    params: HumanParams, rest: Float[Tensor, "24 3"], limb: LimbName
) -> list[DepthTwin]:
    """Find twins as `depth_twins` does, of a skeleton alone.

    Args:
        params: one person in one frame; the betas are not used.
        rest: the joints at rest, metres.
        limb: as in `flip_limb_depth`.
    """
    if (params.frames, params.persons) != (1, 1):
        raise ParamsError(
            f"A depth flip takes one person in one frame, found {params.frames} frame(s) of "
            f"{params.persons} person(s); choose with select(frame, person)."
        )
    if limb not in LIMB_CHAINS:
        raise ParamsError(f"There is no limb {limb!r}; expected one of {', '.join(LIMB_CHAINS)}.")
    chain = LIMB_CHAINS[limb]
    skeleton = _Skeleton.of(params, rest)
    now = skeleton.camera_joints[list(chain)]
    twins = []
    for middle, end in ((False, True), (True, False), (True, True)):
        tries = [_swap_roots(now, (middle, end, tip)) for tip in (False, True)]
        found = [places for places in tries if places is not None]
        if not found:
            continue
        places = min(found, key=lambda places: abs(_bend(places) - _bend(now)))
        pose = torch.from_numpy(_reach(skeleton, chain, places)).to(params.pose)
        twins.append(
            DepthTwin(
                params=replace(params, pose=pose[None, None]),
                depth_change_m=float(abs(places[2, 2] - now[2, 2])),
            )
        )
    return twins


@dataclass(frozen=True, kw_only=True)
class _Skeleton:
    """The bones of one person, in double precision: pixels must agree to a hundredth."""

    pose: np.ndarray
    local: np.ndarray
    """Rotation of each joint in its parent's frame, (24, 3, 3)."""
    world: np.ndarray
    """Rotation of each joint in the world, (24, 3, 3)."""
    bones: np.ndarray
    """From the parent to each joint, rest frame, metres, (24, 3)."""
    camera_joints: np.ndarray
    """Joints, camera frame, metres, (24, 3)."""
    world_from_camera: np.ndarray
    """Rotation only, (3, 3)."""

    @classmethod
    def of(cls, params: HumanParams, rest_joints: Float[Tensor, "24 3"]) -> "_Skeleton":
        """Pose the skeleton."""
        rest = rest_joints.double().cpu().numpy()
        local = exp_map(params.pose[0, 0].double().cpu().numpy())
        bones = rest.copy()
        bones[1:] -= rest[PARENT_INDEX[1:]]
        posed = pose_joints(torch.from_numpy(local)[None], torch.from_numpy(rest)[None])
        world, joints = (found[0].numpy() for found in posed)
        camera_from_world = params.camera_from_world[0].double().cpu().numpy()
        joints = joints + params.transl[0, 0].double().cpu().numpy()
        return cls(
            pose=params.pose[0, 0].double().cpu().numpy(),
            local=local,
            world=world,
            bones=bones,
            camera_joints=joints @ camera_from_world[:3, :3].T + camera_from_world[:3, 3],
            world_from_camera=camera_from_world[:3, :3].T,
        )


def _swap_roots(places: np.ndarray, swaps: tuple[bool, bool, bool]) -> np.ndarray | None:
    """Solve for middle, end and tip on their rays at their bones' lengths.

    Args:
        places: root, middle, end, tip; camera frame, metres, (4, 3).
        swaps: whether middle, end and tip take the other side of their parent than now.

    Returns:
        The new places, or None when a bone no longer reaches its ray or a joint would lie behind
        the camera.
    """
    moved = places.copy()
    for joint, swap in zip((1, 2, 3), swaps, strict=True):
        ray, parent = places[joint] / places[joint, 2], moved[joint - 1]
        length = np.linalg.norm(places[joint] - places[joint - 1])
        if np.allclose(parent, places[joint - 1]) and not swap:
            continue
        half, spread = ray @ parent / (ray @ ray), parent @ parent - length**2
        under_root = half**2 - spread / (ray @ ray)
        if under_root < 0.0:
            return None
        was_far = places[joint, 2] > _foot(ray, places[joint - 1])
        depth = half + (1.0 if was_far != swap else -1.0) * np.sqrt(under_root)
        if depth <= 0.1:
            return None
        moved[joint] = depth * ray
    return moved


def _bend(places: np.ndarray) -> float:
    """Measure the angle at the end joint (wrist, ankle), radians; 0 when straight."""
    above, below = places[2] - places[1], places[3] - places[2]
    return float(np.arctan2(np.linalg.norm(np.cross(above, below)), above @ below))


def _foot(ray: np.ndarray, point: np.ndarray) -> float:
    """Depth of the point on the ray that is nearest to `point`: between the two roots."""
    return float(ray @ point / (ray @ ray))


def _reach(skeleton: _Skeleton, chain: tuple[int, int, int, int], places: np.ndarray) -> np.ndarray:
    """Turn the limb's joints so that it passes through new places; the pose, (24, 3)."""
    pose, world = skeleton.pose.copy(), skeleton.world.copy()
    for index, joint in enumerate(chain[:3]):
        parent_world = world[PARENTS[joint]]
        followed = parent_world @ skeleton.local[joint]
        now = followed @ skeleton.bones[chain[index + 1]]
        wanted = skeleton.world_from_camera @ (places[index + 1] - places[index])
        world[joint] = swing(now, wanted) @ followed
        if index == 0:  # elbow or knee is a hinge: keep its axis
            below = world[joint] @ skeleton.local[chain[1]] @ skeleton.bones[chain[2]]
            wanted_below = skeleton.world_from_camera @ (places[2] - places[1])
            world[joint] = _twist(wanted, below, wanted_below) @ world[joint]
        pose[joint] = log_map(parent_world.T @ world[joint])
    return pose


def _twist(axis: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Give the turn about `axis` that brings `start` into the half plane of `end`, (3, 3)."""
    axis = axis / np.linalg.norm(axis)
    start, end = start - axis * (start @ axis), end - axis * (end @ axis)
    if min(np.linalg.norm(start), np.linalg.norm(end)) < 1e-4:  # a straight limb has no plane
        return np.eye(3)
    angle = np.arctan2(axis @ np.cross(start, end), start @ end)
    return exp_map(axis * angle)


def order_change_mask(view_a: BodyView, view_b: BodyView) -> Bool[Tensor, "batch height width"]:
    """Mark where the front-most of arms, legs and trunk differs though both lie there in both."""
    depths_a, depths_b = _group_depths(view_a), _group_depths(view_b)
    covered = torch.isfinite(depths_a) & torch.isfinite(depths_b)
    front_a = depths_a.argmin(dim=1, keepdim=True)
    front_b = depths_b.argmin(dim=1, keepdim=True)
    overlap = covered.gather(1, front_a) & covered.gather(1, front_b)
    return (overlap & (front_a != front_b))[:, 0]


def _group_depths(view: BodyView) -> Tensor:
    """Rasterise arms, legs and trunk each alone; depths (batch, groups, height, width)."""
    labels = view.parts[view.faces]
    depths = []
    for parts in (*LIMB_CHAINS.values(), TRUNK):
        chosen = torch.isin(labels, torch.tensor(parts).to(labels)).sum(dim=1) >= 2
        faces = view.faces[chosen]
        depths.append(rasterize(view.vertices, faces, view.intrinsics, view.size).depth)
    return torch.stack(depths, dim=1)
