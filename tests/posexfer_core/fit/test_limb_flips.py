import numpy as np
import pytest

from posexfer_core.fit.initialisation import UPRIGHT
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.fit.limb_flips import LIMBS, flipped_limb, flipped_limbs
from posexfer_core.fit.pose_prior import PosePrior
from posexfer_core.geometry.so3 import exp_map, log_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.layouts import COCO17


@pytest.fixture
def skeleton(body):
    return Skeleton(RestBody.of(body, COCO17))


@pytest.fixture
def pose():
    rotations = exp_map(PosePrior().mean_pose())[None]
    rotations[:, 0] = UPRIGHT
    return Pose(rotations, np.zeros((1, 10)), np.array([[0.0, 0.2, 20.0]]))


@pytest.mark.parametrize("limb", LIMBS.values(), ids=LIMBS)
def test_a_flipped_limb_lies_on_the_same_pixels_at_another_depth(skeleton, pose, limb):
    before = skeleton.place(pose).joints[0]
    flipped = flipped_limb(skeleton, pose, skeleton.place(pose), limb, (True, True))
    after = skeleton.place(flipped).joints[0]
    for joint in (limb.middle, limb.tip):
        np.testing.assert_allclose(  # 20 m away, seen almost in parallel
            after[joint, :2] / after[joint, 2], before[joint, :2] / before[joint, 2], atol=2e-3
        )
        lean_before, lean_after = (x[joint, 2] - x[limb.root, 2] for x in (before, after))
        np.testing.assert_allclose(lean_after, -lean_before, atol=0.06)


@pytest.mark.parametrize("limb", LIMBS.values(), ids=LIMBS)
def test_a_flipped_limb_bends_its_hinge_the_one_way_it_goes(skeleton, pose, limb):
    flipped = flipped_limb(skeleton, pose, skeleton.place(pose), limb, (False, True))
    bend = log_map(flipped.rotations[0, limb.middle])
    assert bend @ np.array(limb.hinge) > 0.0


def test_every_limb_has_three_flips(skeleton, pose):
    flips = flipped_limbs(skeleton, pose, skeleton.place(pose))
    assert len(flips) == 3 * len(LIMBS)
