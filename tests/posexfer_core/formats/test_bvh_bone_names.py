import pytest

from posexfer_core.body.joints import JOINT_NAMES, PARENTS
from posexfer_core.formats.bvh_bone_names import match_bones, shared_prefix, shared_suffix

JOINTS = [name for name in JOINT_NAMES if not name.endswith("_hand")]
TREE = [JOINT_NAMES[parent] if parent >= 0 else "" for parent in PARENTS]
NUMBERS = [JOINTS.index(above) if above else -1 for above in TREE[: len(JOINTS)]]
LIMBS: tuple[str, ...] = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


def bones(trunk: str, limbs: str, side: str) -> list[str]:
    """Name the joints of SMPL: pelvis to head, then a limb's joints with a side."""
    middle: dict[str, str] = dict(
        zip(("pelvis", "spine1", "spine2", "spine3", "neck", "head"), trunk.split(), strict=True)
    )
    words: dict[str, str] = dict(zip(LIMBS, limbs.split(), strict=True))
    return [
        middle.get(joint) or side.format(words[joint[2:]], s=joint[0], S=joint[0].upper())
        for joint in JOINTS
    ]


FAMILIES = {
    "VRoid": bones(
        "J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_Chest J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head",
        "UpperLeg LowerLeg Foot ToeBase Shoulder UpperArm LowerArm Hand",
        "J_Bip_{S}_{0}",
    ),
    "Rigify": bones(
        "DEF-spine DEF-spine.001 DEF-spine.002 DEF-spine.003 DEF-spine.004 DEF-spine.006",
        "thigh shin foot toe shoulder upper_arm forearm hand",
        "DEF-{0}.{S}",
    ),
    "Auto-Rig Pro": bones(
        "root.x spine_01.x spine_02.x spine_03.x neck.x head.x",
        "thigh_stretch leg_stretch foot toes_01 shoulder arm_stretch forearm_stretch hand",
        "{0}.{s}",
    ),
    "MHR": bones(
        "root c_spine0 c_spine1 c_spine3 c_neck c_head",
        "upleg lowleg foot ball clavicle uparm lowarm wrist",
        "{s}_{0}",
    ),
    "ASF": bones(
        "root lowerback upperback thorax lowerneck head",
        "femur tibia foot toes clavicle humerus radius wrist",
        "{s}{0}",
    ),
    "MMD": bones(
        "center waist upper upper2 neck head",
        "leg knee ankle toe shoulder arm elbow wrist",
        "{0}_{S}",
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_joint_of_a_family_is_found_head_and_pelvis_too(name):
    found = match_bones(FAMILIES[name], NUMBERS)
    wanted = {joint: at for at, joint in enumerate(JOINTS)}
    for joint in ("l_foot", "r_foot"):  # toes have many names, and are not needed
        found.pop(joint, None)
        wanted.pop(joint)
    assert found == wanted


@pytest.mark.parametrize("end", ["_jnt", "Jnt", ".001", "_joint", "_bind_01"])
@pytest.mark.parametrize("start", ["", "Character1_", "Bob:rig|"])
def test_beginnings_and_ends_that_all_names_share_say_nothing(start, end):
    names = [f"{start}{joint}{end}" for joint in JOINTS]
    assert list(match_bones(names, NUMBERS)) == JOINTS


def test_a_shared_beginning_ends_with_a_sign_and_an_end_begins_with_one():
    names = ["rig_LeftArm_jnt", "rig_LeftLeg_jnt", "rig_LeftFoot_jnt"]
    assert (shared_prefix(names), shared_suffix(names)) == ("rig_", "_jnt")
    assert (shared_prefix(["LeftArm", "LeftLeg"]), shared_suffix(["LeftArm", "RightArm"])) == (
        "",
        "Arm",
    )
    assert (shared_prefix(["Hips"]), shared_suffix(["Hips_jnt"])) == ("", "")
