import math

import pytest
import torch

from posexfer_core.geometry.rotations import axis_angle_to_matrix, matrix_to_rotation_6d
from posexfer_core.network.lift import (
    FeatureLift,
    HumanParamHead,
    human_param_loss,
    human_param_loss_axis_angle,
)


def test_lifted_tokens_are_normalised(generator):
    middle, lifted = FeatureLift(16)(torch.randn(2, 5, 16, generator=generator))
    assert middle.shape == lifted.shape == (2, 5, 16)
    torch.testing.assert_close(lifted.mean(-1), torch.zeros(2, 5), rtol=0, atol=1e-5)
    torch.testing.assert_close(lifted.var(-1, correction=0), torch.ones(2, 5), rtol=0, atol=2e-2)


def test_head_starts_at_an_upright_person_who_faces_the_camera():
    rotations, betas = HumanParamHead(16)(torch.zeros(1, 5, 16))
    upright = torch.zeros(1, 24, 3)
    upright[:, 0, 0] = math.pi
    expected = matrix_to_rotation_6d(axis_angle_to_matrix(upright))
    torch.testing.assert_close(rotations, expected, rtol=0, atol=0.1)
    assert betas.abs().max() < 0.1


def test_head_does_not_care_for_the_order_of_tokens(generator):
    head, middle = HumanParamHead(16), torch.randn(2, 5, 16, generator=generator)
    torch.testing.assert_close(head(middle)[0], head(middle.flip(1))[0])


def test_loss_is_zero_at_the_truth_and_weighs_the_root_apart():
    truth = axis_angle_to_matrix(torch.zeros(1, 24, 3))
    rotations, betas = matrix_to_rotation_6d(truth), torch.zeros(1, 10)
    assert human_param_loss(rotations, betas, truth, betas) == 0
    root_off = rotations.clone()
    root_off[:, 0, 0] += 0.6
    loss = human_param_loss(root_off, betas, truth, betas, root_weight=2.0)
    torch.testing.assert_close(loss, torch.tensor(0.12))  # 2 * 0.6**2 / 6
    loss = human_param_loss(rotations, betas + 2, truth, betas, betas_weight=0.5)
    torch.testing.assert_close(loss, torch.tensor(2.0))


def test_axis_angle_loss_is_the_norm_of_the_difference():
    estimate = torch.zeros(2, 24, 3)
    estimate[:, 3, 1] = 0.3
    rotations = matrix_to_rotation_6d(axis_angle_to_matrix(estimate))
    betas = torch.zeros(2, 10)
    betas[:, 0] = 0.4
    loss = human_param_loss_axis_angle(rotations, betas, torch.zeros(2, 24, 3), torch.zeros(2, 10))
    torch.testing.assert_close(loss, torch.tensor(0.5), rtol=0, atol=1e-5)


@pytest.mark.parametrize("loss", ["6d", "axis angle"])
def test_losses_have_finite_gradients(loss, generator):
    rotations = torch.randn(3, 24, 6, generator=generator, requires_grad=True)
    betas = torch.randn(3, 10, generator=generator, requires_grad=True)
    pose = torch.randn(3, 24, 3, generator=generator)
    if loss == "6d":
        value = human_param_loss(rotations, betas, axis_angle_to_matrix(pose), torch.ones(3, 10))
    else:
        value = human_param_loss_axis_angle(rotations, betas, pose, torch.ones(3, 10))
    value.backward()
    for leaf in (rotations, betas):
        assert leaf.grad is not None and torch.isfinite(leaf.grad).all() and leaf.grad.any()
