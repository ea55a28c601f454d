import math

import torch
import torch.nn.functional as F

from posexfer_core.geometry.rotations import axis_angle_to_matrix, matrix_to_rotation_6d
from posexfer_core.network.feature_lifting import FeatureLifting, HumanParamHead


def test_lifted_tokens_are_normalised(generator):
    f_med, f_3d = FeatureLifting(16)(torch.randn(2, 5, 16, generator=generator))
    assert f_med.shape == f_3d.shape == (2, 5, 16)
    torch.testing.assert_close(f_3d.mean(-1), torch.zeros(2, 5), rtol=0, atol=1e-5)
    torch.testing.assert_close(f_3d.var(-1, correction=0), torch.ones(2, 5), rtol=0, atol=2e-2)


def test_lifting_is_the_posters(generator):
    """F_Med = silu(MLP(F_2D)), F_3D = LN(MLP(F_Med))."""
    lifting, f_2d = FeatureLifting(16), torch.randn(2, 5, 16, generator=generator)
    f_med, f_3d = lifting(f_2d)
    first, _, second = lifting.mlp_med
    torch.testing.assert_close(f_med, F.silu(second(F.silu(first(f_2d)))))
    first, _, second = lifting.mlp_3d
    torch.testing.assert_close(f_3d, F.layer_norm(second(F.silu(first(f_med))), (16,)))


def test_head_starts_at_an_upright_person_who_faces_the_camera():
    rotations, betas = HumanParamHead(16)(torch.zeros(1, 5, 16))
    upright = torch.zeros(1, 24, 3)
    upright[:, 0, 0] = math.pi
    expected = matrix_to_rotation_6d(axis_angle_to_matrix(upright))
    torch.testing.assert_close(rotations, expected, rtol=0, atol=0.1)
    assert betas.abs().max() < 0.1


def test_head_does_not_care_for_the_order_of_tokens(generator):
    head, f_med = HumanParamHead(16), torch.randn(2, 5, 16, generator=generator)
    torch.testing.assert_close(head(f_med)[0], head(f_med.flip(1))[0])
