import torch

from posexfer_core.body.joints import JOINT_INDEX
from training.depth_order.overlaps import (
    GROUPS,
    SUBSETS,
    Group,
    Overlaps,
    group_of_part,
    pairs_of_groups,
    subset_of,
)


def test_hands_belong_to_arms_and_the_neck_to_the_head():
    table = group_of_part()
    names = {
        part: GROUPS[table[JOINT_INDEX[part]]] for part in ("l_hand", "neck", "spine3", "r_foot")
    }
    assert names == {"l_hand": "left_arm", "neck": "head", "spine3": "torso", "r_foot": "right_leg"}


def test_what_changed_is_split_by_the_groups_that_meet():
    wrist, chest, head = (JOINT_INDEX[name] for name in ("l_wrist", "spine3", "head"))
    front_a = torch.tensor([[wrist, wrist, chest, wrist, wrist]])
    front_b = torch.tensor([[chest, chest, wrist, head, chest]])
    changed = torch.tensor([[True, True, True, True, False]])
    found = pairs_of_groups(Overlaps(front_a, front_b, changed), least_px=2)
    assert found.keys() == {("left_arm", "torso")}
    assert found["left_arm", "torso"].tolist() == [[True, True, True, False, False]]


def test_pairs_of_groups_have_subsets():
    pairs: list[tuple[Group, Group]] = [
        ("left_arm", "torso"),
        ("left_arm", "right_arm"),
        ("left_leg", "right_leg"),
        ("right_arm", "head"),
    ]
    assert [subset_of(pair) for pair in pairs] == list(SUBSETS[:4])
    assert subset_of(("left_arm", "left_leg")) is None
