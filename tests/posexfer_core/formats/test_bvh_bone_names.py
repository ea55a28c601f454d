import pytest

from posexfer_core.body.joints import JOINT_NAMES, PARENTS
from posexfer_core.formats.bvh_bone_names import (
    match_bones,
    plain_name,
    shared_prefix,
    shared_suffix,
)

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


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("mixamorig:LeftUpLeg", "leftupleg"),
        ("m_avg_L_Hip", "lhip"),
        ("Bip01 L Thigh", "lthigh"),
        ("mixamorig1:Hips", "hips"),
        ("thigh.L", "thighl"),
    ],
)
def test_prefixes_and_signs_are_stripped(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("pelvis", "sides", "bones"),
    [
        ("Ch1_Hips", ("Left", "Right"), "Ch1_{}UpLeg Ch1_{}Leg Ch1_{}Arm Ch1_{}ForeArm"),
        ("J_B_C_Hips", "LR", "J_B_{}_UpperLeg J_B_{}_LowerLeg J_B_{}_UpperArm J_B_{}_LowerArm"),
        ("DEF-spine", "LR", "DEF-thigh.{} DEF-shin.{} DEF-upper_arm.{} DEF-forearm.{}"),
        ("root.x", "lr", "thigh_stretch.{} leg_stretch.{} arm_stretch.{} forearm_stretch.{}"),
        ("hip", "lr", "{}ThighBend {}Shin {}ShldrBend {}ForearmBend"),
        ("SpineBase", ("Left", "Right"), "Hip{} Knee{} Shoulder{} Elbow{}"),
        ("Skeleton_Hip", "LR", "Skeleton_{}Thigh Skeleton_{}Shin Skeleton_{}UArm Skeleton_{}FArm"),
        ("root", "LR", "upperleg01.{} lowerleg01.{} upperarm01.{} lowerarm01.{}"),
        ("Hip_01", "lr", "{}_thigh_02 {}_shin_03 {}_upperarm_04 {}_forearm_055"),
        ("root", "lr", "{}_upleg {}_lowleg {}_uparm {}_lowarm"),
    ],
)
def test_rigs_are_known_by_their_tree_and_without_what_all_names_share(pelvis, sides, bones):
    names = [pelvis, *(name.format(side) for side in sides for name in bones.split())]
    found = match_bones(names, [-1, 0, 1, 0, 3, 0, 5, 0, 7])
    parts = [f"{side}_{part}" for side in "lr" for part in ("hip", "knee", "shoulder", "elbow")]
    assert found == dict(zip(["pelvis", *parts], range(9), strict=True))


def test_shoulders_are_collars_where_there_are_arms():
    names = ["Hips", "LeftShoulder", "LeftArm", "L_Ankle", "L_Foot"]
    found = match_bones(names, [-1, 0, 1, 0, 3])
    assert found["l_collar"] == 1 and found["l_shoulder"] == 2
    assert found["l_ankle"] == 3 and found["l_foot"] == 4
