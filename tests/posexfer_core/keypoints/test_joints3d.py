import numpy as np
import pytest

from posexfer_core.errors import KeypointsError
from posexfer_core.keypoints.joints3d import name_joints, standing_axis
from posexfer_core.keypoints.layouts import LAYOUTS_3D, MHR70, SMPL22


def test_sam_3d_body_has_its_wrists_among_the_hands():
    assert (MHR70.index("r_wrist"), MHR70.index("l_wrist")) == (41, 62)
    assert MHR70[9:15] == ("l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle")


@pytest.mark.parametrize("count", LAYOUTS_3D)
def test_joints_are_named_by_their_number(count):
    points = np.random.default_rng(0).normal(size=(count, 3))
    joints = name_joints(points)
    assert len(joints.names) == len(joints.xyz) == len(set(joints.names))
    index = LAYOUTS_3D[count].index(joints.names[-1])
    np.testing.assert_array_equal(joints.xyz[-1], points[index])


def test_millimetres_get_a_sentence():
    with pytest.raises(KeypointsError, match="millimetres"):
        name_joints(1000.0 * np.random.default_rng(0).normal(size=(24, 3)))


def test_an_unknown_number_of_joints_gets_a_sentence():
    with pytest.raises(KeypointsError, match="There are 5 3D joints"):
        name_joints(np.zeros((5, 3)))


def test_frames_without_the_person_have_no_say_in_which_way_is_up():
    upright = np.zeros((2, 22, 3))
    for name, height in (("shoulder", 1.4), ("hip", 0.9), ("knee", 0.5)):
        for side in "lr":
            upright[:, SMPL22.index(f"{side}_{name}_joint"), 2] = height
    assert standing_axis(upright) == "z"
    upright[1] = np.nan
    assert standing_axis(upright) == "z"
    upright[0] = np.nan
    assert standing_axis(upright) is None


def test_frames_beyond_all_units_have_no_vote():
    upright = np.zeros((2, 24, 3))
    upright[1] = np.inf
    with np.errstate(all="raise"):
        assert standing_axis(upright) is None
