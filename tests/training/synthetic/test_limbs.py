import numpy as np
import pytest

from training.synthetic.limbs import (
    Limb,
    axis_angle,
    limited,
    mirrored,
    reach,
    rotation,
    segment_distance,
)

ARM = Limb(
    upper=np.array([0.26, -0.01, -0.01]),
    lower=np.array([0.25, 0.0, 0.005]),
    hinge=np.array([0.0, -1.0, 0.0]),
    straightest_deg=5.0,
)


def test_a_quarter_turn_about_z_carries_x_to_y():
    turned = rotation((0.0, 0.0, 90.0)) @ np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(turned, [0.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 1e-5, 0.5, 2.0, 3.1, 3.1415, np.pi])
def test_axis_angle_undoes_rotation(angle):
    axis = np.array([0.6, -0.64, 0.48])
    matrix = rotation(np.degrees(angle * axis))
    np.testing.assert_allclose(rotation(np.degrees(axis_angle(matrix))), matrix, atol=1e-5)
    assert np.linalg.norm(axis_angle(matrix)) == pytest.approx(angle, abs=1e-3)


def test_a_limited_rotation_keeps_its_axis():
    vector = np.array([0.0, 80.0, 0.0])
    np.testing.assert_allclose(limited(rotation(vector), 50.0), rotation((0.0, 50.0, 0.0)))
    np.testing.assert_allclose(limited(rotation(vector), 90.0), rotation(vector))


def test_the_mirror_swaps_left_and_right():
    matrix, point = rotation((10.0, 50.0, -30.0)), np.array([0.3, 0.2, 0.1])
    flip = np.array([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(mirrored(matrix) @ (point * flip), (matrix @ point) * flip)


@pytest.mark.parametrize("target", [(0.3, 0.1, 0.2), (-0.1, -0.2, 0.25), (0.0, 0.4, -0.1)])
def test_the_wrist_comes_to_its_place_and_bones_keep_their_length(target):
    root = np.array([0.1, 0.05, 0.0])
    goal = root + np.array(target)
    solved = reach(ARM, root, goal, np.array([0.3, -1.0, -0.2]))
    np.testing.assert_allclose(solved.middle, root + solved.upper_rotation @ ARM.upper, atol=1e-9)
    end = solved.middle + solved.lower_rotation @ ARM.lower
    np.testing.assert_allclose(end, goal, atol=1e-9)
    np.testing.assert_allclose(solved.end, goal, atol=1e-9)


def test_an_elbow_bends_the_natural_way_only():
    solved = reach(ARM, np.zeros(3), np.array([0.1, -0.1, 0.3]), np.array([0.5, -0.5, -0.7]))
    bend = np.degrees(axis_angle(solved.upper_rotation.T @ solved.lower_rotation))
    assert bend[1] < -30.0  # a left forearm swings forward: negative about y
    assert np.abs(bend[[0, 2]]).max() < 6.0


def test_what_is_out_of_reach_is_reached_for():
    far = np.array([0.0, 0.0, 5.0])
    solved = reach(ARM, np.zeros(3), far, np.array([0.0, -1.0, 0.0]))
    assert 0.49 < np.linalg.norm(solved.end) < 0.512
    np.testing.assert_allclose(solved.end / np.linalg.norm(solved.end), [0.0, 0.0, 1.0])


def test_the_elbow_points_where_it_is_told():
    solved = reach(ARM, np.zeros(3), np.array([0.0, 0.0, 0.3]), np.array([0.0, -1.0, 0.0]))
    assert solved.middle[1] < -0.1
    assert abs(solved.middle[0]) < 1e-9


def test_crossing_segments_are_near():
    one = np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])
    two = np.array([0.0, -1.0, 0.3]), np.array([0.0, 1.0, 0.3])
    assert segment_distance(one, two) == pytest.approx(0.3)
