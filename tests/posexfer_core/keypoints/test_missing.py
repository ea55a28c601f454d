import numpy as np
import pytest

from posexfer_core.keypoints.detections import read_keypoints
from posexfer_core.keypoints.missing import are_missing, number_array

POINTS = [[20.0 + 4 * i, 30.0 + 3 * i] for i in range(17)]
NAN = float("nan")


@pytest.mark.parametrize(
    "marker",
    [
        [0.0, 0.0],
        [-1.0, -1.0],
        [-100.0, -100.0],
        [65535.0, 65535.0],
        [NAN, NAN],
        [None, None],
        None,
        [0.0, 0.0, 0.0],
        [20.0, 30.0, 0.0],
        [20.0, 30.0, -1.0],
        [20.0, 30.0, NAN],
        [20.0, 30.0, None],
        [-1.0, -1.0, 1.0],
        [-1.0, -1.0, 0.9],
        [1e9, 30.0, 1.0],
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "wrap", [list, lambda points: [{"keypoints": points}]], ids=["rows", "coco"]
)
def test_every_marker_is_a_point_that_is_not_there(marker, wrap):
    scored = marker is not None and len(marker) == 3
    points: list = [[*point, 1.0] if scored else point for point in POINTS]
    points[9] = marker
    found = read_keypoints(wrap(points)).observation(image_size=(256, 176)).keypoints
    confidence = dict(zip(found.names, found.confidence, strict=True))
    assert confidence.pop("l_wrist") == 0.0
    assert set(confidence.values()) == {1.0}


def test_a_place_that_several_points_have_is_a_marker():
    points = np.array(POINTS)
    points[[3, 4, 9, 10]] = (-7.5, 12.0)  # a marker that was moved with the others
    assert list(np.flatnonzero(are_missing(points))) == [3, 4, 9, 10]
    points[3] = (1.0, 2.0)
    assert not are_missing(points).any()


def test_one_joint_in_space_may_be_the_origin():
    joints = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, -0.2, 0.1]])
    assert not are_missing(joints).any()
    joints[2] = 0.0
    assert list(are_missing(joints)) == [True, False, True]


def test_nulls_are_as_wide_as_the_others():
    array = number_array([[[1, 2, 3], None], [[None, 5, 6], [7, 8, 9]]])
    assert array.shape == (2, 2, 3)
    assert np.isnan(array).sum() == 4
