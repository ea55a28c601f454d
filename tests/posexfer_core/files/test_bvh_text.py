from pathlib import Path

import numpy as np
import pytest

from posexfer_core.files.bvh_text import parse_bvh
from posexfer_core.geometry.so3 import exp_map
from tests.posexfer_core.formats.bvh_samples import TWO_BONES

REPORTED = Path(__file__).parents[2] / "data/reported_cases"


def test_bones_hang_on_each_other_and_turn_in_the_channels_order():
    bvh = parse_bvh(TWO_BONES.encode(), "a.bvh")
    rotations, places = bvh.world()
    # a quarter turn about z lays the bone along -x
    np.testing.assert_allclose(places[0], [[1, 2, 3], [-1, 2, 3]], atol=1e-12)
    quarter = exp_map(np.pi / 2 * np.eye(3)[2]) @ exp_map(np.pi / 2 * np.eye(3)[0])
    np.testing.assert_allclose(rotations[0, 1], quarter, atol=1e-12)
    assert bvh.frame_time == 0.04
    np.testing.assert_allclose(bvh.rest(), [[0, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("OFFSET ", "OFFSET\n\t"),
        lambda text: text.replace(" ", "\t"),
        lambda text: " ".join(text.split()).replace(" MOTION", "\nMOTION"),
        lambda text: text.replace("HIERARCHY", "Hierarchy").replace("MOTION", "Motion"),
        lambda text: text.replace("Frames:", "Frames :"),
    ],
)
def test_any_white_space_and_case_will_do(respell):
    text = (REPORTED / "classic_tab.bvh").read_text()
    plain, other = (parse_bvh(one.encode(), "a.bvh") for one in (text, respell(text)))
    assert plain.names == other.names and plain.parents == other.parents
    np.testing.assert_array_equal(plain.offsets, other.offsets)
    np.testing.assert_array_equal(plain.rotations, other.rotations)


@pytest.mark.parametrize("motion", ["", "MOTION\nFrames: 0\nFrame Time: 0.04\n"])
def test_a_skeleton_without_motion_is_one_frame_at_rest(motion, caplog):
    still = parse_bvh((TWO_BONES.partition("MOTION")[0] + motion).encode(), "a.bvh")
    np.testing.assert_array_equal(still.world()[1], [[[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    assert "holds no motion" in caplog.text


def test_frames_without_a_length_are_thirty_a_second(caplog):
    moving = parse_bvh(TWO_BONES.replace("0.04", "0").encode(), "a.bvh")
    assert moving.frame_time == pytest.approx(1 / 30)
    assert "30 frames a second" in caplog.text
