import numpy as np
import pytest

from posexfer_core.geometry.so3 import (
    cross_matrix,
    exp_map,
    log_jacobian,
    log_map,
    quaternion_to_matrix,
    swing,
)


def test_a_quarter_turn_about_z_takes_x_to_y():
    turn = exp_map(np.array([0.0, 0.0, np.pi / 2]))
    np.testing.assert_allclose(turn @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-12)


def test_cross_matrix_is_the_cross_product():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([-2.0, 0.5, 1.0])
    np.testing.assert_allclose(cross_matrix(a) @ b, np.cross(a, b))


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.3, 3.0, np.pi - 1e-9])
def test_logarithm_undoes_exponential(batch, angle):
    axis = np.random.default_rng(0).normal(size=(*batch, 3))
    vector = angle * axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    np.testing.assert_allclose(log_map(exp_map(vector)), vector, atol=1e-8)


def test_half_turn_about_x_has_a_logarithm():
    np.testing.assert_allclose(log_map(np.diag([1.0, -1.0, -1.0])), [np.pi, 0.0, 0.0])


def test_log_jacobian_agrees_with_differences():
    rng = np.random.default_rng(1)
    vector = rng.normal(size=(5, 3))
    for i in range(3):
        step = 1e-6 * np.eye(3)[i]
        ahead = log_map(exp_map(vector) @ exp_map(step))
        behind = log_map(exp_map(vector) @ exp_map(-step))
        np.testing.assert_allclose(log_jacobian(vector)[..., i], (ahead - behind) / 2e-6, atol=1e-7)


@pytest.mark.parametrize(
    "end", [[0.0, 1.0, 0.0], [-2.0, 0.0, 0.0], [3.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
)
def test_a_swing_turns_one_direction_into_the_other_without_twist(end):
    start, end = np.array([0.5, 0.0, 0.0]), np.array(end)
    turn = swing(start, end)
    np.testing.assert_allclose(turn @ start / 0.5, end / np.linalg.norm(end), atol=1e-12)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert abs(log_map(turn) @ start) < 1e-9  # the axis lies across
    np.testing.assert_array_equal(swing(np.zeros(3), end), np.eye(3))


def test_quaternions_of_turns_about_z_are_those_worked_by_hand():
    half = np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.5**0.5, 0.5**0.5], [0.0, 0.0, 1.0, 0.0]])
    turns = exp_map(np.array([[0.0, 0.0, angle] for angle in (0.0, np.pi / 2, np.pi)]))
    np.testing.assert_allclose(quaternion_to_matrix(half), turns, atol=1e-12)
