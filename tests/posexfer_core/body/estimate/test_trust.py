import numpy as np

from posexfer_core.body.estimate.layouts import COCO17
from posexfer_core.body.estimate.trust import joint_confidence
from posexfer_core.body.model import JOINT_NAMES


def test_joints_without_keypoints_are_not_trusted():
    trust = dict.fromkeys(COCO17, 1.0)
    trust["r_wrist"] = 0.0
    confidence = dict(zip(JOINT_NAMES, joint_confidence(trust), strict=True))
    assert confidence["r_wrist"] == confidence["r_hand"] == 0.0
    assert confidence["l_wrist"] == 1.0
    assert confidence["l_foot"] == 0.5  # the ankle alone speaks of it


def test_nothing_seen_is_no_trust():
    np.testing.assert_array_equal(joint_confidence({}), np.zeros(24))
