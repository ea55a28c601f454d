"""Rotations: values by hand, round trips, gradients where formulas divide by zero."""

import math

import pytest
import torch

from posexfer_core.geometry.rotations import (
    axis_angle_to_matrix,
    cross_matrix,
    interpolate_rotations,
    matrix_to_axis_angle,
    matrix_to_quaternion,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)

BATCHES = [(), (2,), (2, 3)]


def random_axis_angle(batch, generator, length=None):
    vector = torch.randn(*batch, 3, generator=generator, dtype=torch.float64)
    if length is None:
        return vector
    return length * vector / vector.norm(dim=-1, keepdim=True)


def test_quarter_turn_about_z_turns_x_into_y():
    matrix = axis_angle_to_matrix(torch.tensor([0.0, 0.0, math.pi / 2]))
    expected = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(matrix, expected, atol=1e-6, rtol=0)


def test_zero_is_exactly_the_identity():
    assert torch.equal(axis_angle_to_matrix(torch.zeros(4, 3)), torch.eye(3).expand(4, 3, 3))
    assert torch.equal(matrix_to_axis_angle(torch.eye(3)), torch.zeros(3))


def test_half_turn_about_x_comes_back():
    half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    torch.testing.assert_close(matrix_to_axis_angle(half_turn), torch.tensor([math.pi, 0.0, 0.0]))


def test_cross_matrix_multiplies_as_the_cross_product(generator):
    one, two = torch.randn(2, 5, 3, generator=generator)
    product = (cross_matrix(one) @ two[..., None])[..., 0]
    torch.testing.assert_close(product, torch.linalg.cross(one, two))


@pytest.mark.parametrize("batch", BATCHES)
def test_axis_angle_makes_rotations(batch, generator):
    matrix = axis_angle_to_matrix(random_axis_angle(batch, generator))
    identity = torch.eye(3, dtype=torch.float64).expand(*batch, 3, 3)
    torch.testing.assert_close(matrix @ matrix.mT, identity)
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(batch, dtype=torch.float64))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("angle", [1e-9, 1e-4, 0.00999, 0.01001, 1.0, 3.0, math.pi - 1e-7])
def test_axis_angle_survives_the_round_trip(batch, angle, generator):
    axis_angle = random_axis_angle(batch, generator, angle)
    back = matrix_to_axis_angle(axis_angle_to_matrix(axis_angle))
    torch.testing.assert_close(back, axis_angle, atol=1e-9, rtol=1e-7)


def test_axis_angle_survives_the_round_trip_in_single_precision(generator):
    axis_angle = random_axis_angle((200,), generator).float()
    axis_angle = axis_angle * (3.0 / axis_angle.norm(dim=-1, keepdim=True)).clamp(max=1.0)
    back = matrix_to_axis_angle(axis_angle_to_matrix(axis_angle))
    torch.testing.assert_close(back, axis_angle, atol=2e-5, rtol=0)


def test_angles_beyond_half_a_turn_come_back_the_short_way():
    back = matrix_to_axis_angle(axis_angle_to_matrix(torch.tensor([0.0, 1.5 * math.pi, 0.0])))
    torch.testing.assert_close(back, torch.tensor([0.0, -0.5 * math.pi, 0.0]))


def test_quaternion_has_a_real_part_that_is_not_negative(generator):
    quaternion = matrix_to_quaternion(
        axis_angle_to_matrix(random_axis_angle((50,), generator, 4.0))
    )
    assert (quaternion[:, 0] >= 0).all()
    torch.testing.assert_close(quaternion.norm(dim=-1), torch.ones(50, dtype=torch.float64))


def test_six_numbers_are_the_two_columns_one_after_the_other():
    matrix = torch.arange(9.0).reshape(3, 3)
    columns = torch.tensor([0.0, 3.0, 6.0, 1.0, 4.0, 7.0])
    assert torch.equal(matrix_to_rotation_6d(matrix), columns)


def test_skewed_columns_are_straightened():
    matrix = rotation_6d_to_matrix(torch.tensor([2.0, 0.0, 0.0, 5.0, 3.0, 0.0]))
    torch.testing.assert_close(matrix, torch.eye(3))


@pytest.mark.parametrize("batch", BATCHES)
def test_six_numbers_survive_the_round_trip(batch, generator):
    matrix = axis_angle_to_matrix(random_axis_angle(batch, generator))
    torch.testing.assert_close(rotation_6d_to_matrix(matrix_to_rotation_6d(matrix)), matrix)


@pytest.mark.parametrize("angle", [0.0, 1e-5, 0.009, 0.5, 3.0])
def test_gradients_hold_from_the_identity_on(angle):
    axis_angle = torch.tensor([[0.6, 0.0, -0.8]], dtype=torch.float64) * angle
    axis_angle.requires_grad_()
    assert torch.autograd.gradcheck(axis_angle_to_matrix, axis_angle, atol=1e-5)
    matrix = axis_angle_to_matrix(axis_angle).detach().requires_grad_()
    assert torch.autograd.gradcheck(matrix_to_axis_angle, matrix, atol=1e-5)


def test_gradient_through_six_numbers_holds(generator):
    rotation = torch.randn(2, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rotation_6d_to_matrix, rotation)


def test_gradients_are_finite_where_the_input_is_degenerate():
    rotation = torch.zeros(6, requires_grad=True)
    rotation_6d_to_matrix(rotation).sum().backward()
    half_turn = torch.diag(torch.tensor([-1.0, 1.0, -1.0])).requires_grad_()
    matrix_to_axis_angle(half_turn).sum().backward()
    assert rotation.grad is not None and rotation.grad.isfinite().all()
    assert half_turn.grad is not None and half_turn.grad.isfinite().all()


def test_half_the_way_to_a_quarter_turn_is_an_eighth():
    quarter = axis_angle_to_matrix(torch.tensor([0.0, 0.0, torch.pi / 2]))
    half = interpolate_rotations(torch.eye(3), quarter, torch.tensor(0.5))
    torch.testing.assert_close(half @ half, quarter)
    torch.testing.assert_close(half, axis_angle_to_matrix(torch.tensor([0.0, 0.0, torch.pi / 4])))


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_interpolated_rotations_begin_and_end_where_they_should(batch, generator):
    start, end = (
        axis_angle_to_matrix(torch.randn(*batch, 3, generator=generator)) for _ in range(2)
    )
    for share, wanted in ((0.0, start), (1.0, end)):
        found = interpolate_rotations(start, end, torch.full(batch, share))
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
