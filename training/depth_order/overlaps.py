"""Where two poses with equal 2D joints differ in what is in front, and which parts meet there."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from posexfer_core.body.depth_flip import order_change_mask
from posexfer_core.body.joints import JOINT_INDEX, LIMB_CHAINS
from posexfer_core.body.view import BodyView
from posexfer_core.render.part_labels import parts_map

Group = Literal["left_arm", "right_arm", "left_leg", "right_leg", "head", "torso"]
GROUPS: tuple[Group, ...] = (
    "left_arm",
    "right_arm",
    "left_leg",
    "right_leg",
    "head",
    "torso",
)
"""Parts of the body that may be before each other; hands belong to arms."""
SUBSETS = ("arm before torso", "arm before arm", "crossing legs", "hand near face", "no overlap")
"""What a twin is about; the last is the control."""
NOWHERE = 255
"""Number of a pixel without body."""


class Overlaps(NamedTuple):
    """Where the order of two poses differs."""

    front_a: Int[Tensor, "height width"]
    """Part (0 to 23) that pose A has in front; `NOWHERE` off the body."""
    front_b: Int[Tensor, "height width"]
    """The same of pose B."""
    changed: Bool[Tensor, "height width"]
    """Where another group of parts is in front, though both poses have both there."""


def find_overlaps(view_a: BodyView, view_b: BodyView, changed: Tensor | None = None) -> Overlaps:
    """Compare two poses of one person before one camera.

    Args:
        view_a: one pose.
        view_b: the other.
        changed: from `order_change_mask` of both, where it is known already.
    """
    front_a, front_b = (parts_map(view)[0] for view in (view_a, view_b))
    changed = order_change_mask(view_a, view_b)[0] if changed is None else changed
    changed = changed & (front_a >= 0) & (front_b >= 0)
    table = group_of_part()
    changed &= table[front_a.clamp(min=0)] != table[front_b.clamp(min=0)]
    numbers = [torch.where(front < 0, NOWHERE, front) for front in (front_a, front_b)]
    return Overlaps(numbers[0], numbers[1], changed)


def group_of_part() -> Int[Tensor, "24"]:
    """Give the number in `GROUPS` of each of SMPL's parts."""
    table = torch.full((24,), GROUPS.index("torso"))
    for name, chain in LIMB_CHAINS.items():
        table[list(chain)] = GROUPS.index(name)
    table[[JOINT_INDEX["head"], JOINT_INDEX["neck"]]] = GROUPS.index("head")
    return table


def pairs_of_groups(overlaps: Overlaps, least_px: int) -> dict[tuple[Group, Group], Tensor]:
    """Split what changed by the two groups that meet; pairs of fewer pixels are left out.

    Returns:
        By names in the order of `GROUPS`, masks (height, width).
    """
    table = group_of_part()
    groups = [table[front.clamp(max=23)] for front in (overlaps.front_a, overlaps.front_b)]
    low, high = groups[0].minimum(groups[1]), groups[0].maximum(groups[1])
    found: dict[tuple[Group, Group], Tensor] = {}
    for first in range(len(GROUPS)):
        for second in range(first + 1, len(GROUPS)):
            mask = overlaps.changed & (low == first) & (high == second)
            if int(mask.sum()) >= least_px:
                found[GROUPS[first], GROUPS[second]] = mask
    return found


def subset_of(pair: tuple[Group, Group]) -> str | None:
    """Name the subset that two groups that meet belong to, if there is one."""
    arms, legs = ({name for name in GROUPS if kind in name} for kind in ("arm", "leg"))
    first, second = pair
    if {first, second} == arms:
        return "arm before arm"
    if {first, second} == legs:
        return "crossing legs"
    if first in arms and second == "head":
        return "hand near face"
    if first in arms and second == "torso":
        return "arm before torso"
    return None
