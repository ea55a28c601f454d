"""Bones of other skeletons as SMPL's joints, by the names in use."""

import re
from collections import Counter
from collections.abc import Sequence

from ..body.joints import JOINT_NAMES

_LEFT: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "thigh", "upperleg", "hip", "femur", "leg"),
    "knee": ("leg", "shin", "calf", "lowerleg", "lowleg", "knee", "tibia"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toe", "toes", "toe0", "ball", "foot"),
    "shoulder": ("arm", "upperarm", "uparm", "uarm", "shldr", "humerus", "shoulder"),
    "collar": ("collar", "clavicle", "shoulder"),
    "elbow": ("forearm", "lowerarm", "lowarm", "farm", "elbow", "radius"),
    "wrist": ("wrist", "hand"),
    "hand": ("hand",),
}
"""SMPL's joint → names without the side, the ones that are taken first in front. A bone is taken
once: Mixamo's LeftShoulder is a collar because its LeftArm is the shoulder; SMPL's L_Foot are the
toes because it has an L_Ankle."""
_MIDDLE: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip", "chips", "cpelvis"),
    "head": ("head", "chead", "headx", "spine006"),
}
NEEDED = (
    "pelvis",
    *(f"{side}_{part}" for side in "lr" for part in ("hip", "knee", "shoulder", "elbow")),
)

_SHARED = 0.8
"""Share of the bones whose names have a beginning or an end that says nothing."""
_NOISE = re.compile(r"^(?:[mf]avg|bip0*1|mixamorig\d*|cc\s*base|b|def|org)(?=[a-z])")
_SIGN = re.compile(r"[^A-Za-z0-9]+")
_END = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_SEGMENT = re.compile(r"(?<=[a-z])(?:bend|stretch|01)(?=[lr]?$)")
"""What Daz, Auto-Rig Pro and MakeHuman add to the first of two bones of a limb."""
_NUMBER = re.compile(r"_\d+$")
"""With which some exporters make all names unlike: `Hips_01`, `LeftUpLeg_055`."""


def plain_name(name: str) -> str:
    """Strip prefixes and signs: `mixamorig:LeftUpLeg` → `leftupleg`, `m_avg_L_Hip` → `lhip`."""
    bare = re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())
    bare = _SEGMENT.sub("", bare)
    return _NOISE.sub("", bare) if not bare.startswith(("ball", "back", "body")) else bare


def shared_prefix(names: Sequence[str]) -> str:
    """Return the longest beginning, up to a sign, of nearly all names: `Character1_`, `J_Bip_`."""
    return _shared([name[: sign.end()] for name in names for sign in _SIGN.finditer(name)], names)


def shared_suffix(names: Sequence[str]) -> str:
    """Return the longest end, from a sign or a capital, of nearly all names: `_jnt`, `.001`."""
    return _shared([name[sign.start() :] for name in names for sign in _END.finditer(name)], names)


def _shared(parts: Sequence[str], names: Sequence[str]) -> str:
    shared = [part for part, count in Counter(parts).items() if count >= _SHARED * len(names)]
    return max(shared, key=len, default="") if len(names) > 1 else ""


def match_bones(names: Sequence[str], parents: Sequence[int]) -> dict[str, int]:
    """Find SMPL's joints among named bones; what is not there is left out.

    Spine and neck are found by the tree, since names differ (Spine may be the first or the second):
    the bones from the pelvis to where the arms branch, and from there to the head. So is a pelvis
    of another name, where both legs branch.
    """
    if sum(_NUMBER.search(name) is not None for name in names) >= _SHARED * len(names):
        names = [_NUMBER.sub("", name) for name in names]
    prefix, suffix = shared_prefix(names), shared_suffix(names)
    plain = [plain_name(name.removeprefix(prefix).removesuffix(suffix)) for name in names]
    found: dict[str, int] = {}
    for joint, words in _MIDDLE.items():
        _take(found, joint, plain, words)
    for joint, words in _LEFT.items():
        for side, long in (("l", "left"), ("r", "right")):
            spelled = [
                option
                for word in words
                for option in (long + word, side + word, word + side, word + long)
            ]
            _take(found, f"{side}_{joint}", plain, spelled)
    if "pelvis" not in found and {"l_hip", "r_hip"} <= found.keys():
        left, right = (_way_up(found[f"{side}_hip"], parents)[1:] for side in "lr")
        if shared := [bone for bone in left if bone in right]:
            found["pelvis"] = shared[0]  # Rigify's spine, Auto-Rig Pro's root, Kinect's SpineBase
    _match_trunk(found, parents)
    return {joint: found[joint] for joint in JOINT_NAMES if joint in found}


def _take(found: dict[str, int], joint: str, plain: list[str], words: Sequence[str]) -> None:
    """Take the first name that is there and not taken yet."""
    for word in words:
        at = [bone for bone, name in enumerate(plain) if name == word]
        if at and at[0] not in found.values():
            found[joint] = at[0]
            return


def _match_trunk(found: dict[str, int], parents: Sequence[int]) -> None:
    """Name the bones between pelvis, arms and head."""
    if "pelvis" not in found or "l_shoulder" not in found or "r_shoulder" not in found:
        return
    ways = [_way_up(found[f"{side}_shoulder"], parents) for side in "lr"]
    shared = [bone for bone in ways[0] if bone in ways[1]]
    spine = [bone for bone in shared[::-1] if found["pelvis"] in _way_up(bone, parents)[1:]]
    if spine:
        found["spine3"] = spine[-1]
    if len(spine) >= 2:
        found["spine1"] = spine[0]
    if len(spine) >= 3:
        found["spine2"] = spine[len(spine) // 2]
    if "head" in found and shared:
        above = _way_up(found["head"], parents)[1:]
        neck = above[: above.index(shared[0])] if shared[0] in above else []
        if neck:
            found["neck"] = neck[-1]


def _way_up(bone: int, parents: Sequence[int]) -> list[int]:
    """List a bone and all that it hangs on, from below."""
    way = [bone]
    while parents[way[-1]] >= 0:
        way.append(parents[way[-1]])
    return way
