"""A shell that a mask tells."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.warp.clothed_shell import SHRINK_M, face_vertices, fit_shell, wear
from posexfer_core.warp.filters import dilate

CLOTH_M = 0.05


def overlap(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one & other).sum() / (one | other).sum())


def dressed(view, metres: float = CLOTH_M) -> torch.Tensor:
    """Offsets of cloth on trunk and thighs."""
    worn = torch.isin(view.parts, torch.tensor([0, 1, 2, 3, 6, 9, 13, 14]))
    return metres * worn.float()


def test_the_silhouette_grows_to_the_mask(posed):
    view = posed()
    mask = wear(view, dressed(view)).visibility.mask[0]
    shell = fit_shell(view, mask.float())
    before = overlap(view.visibility.mask[0], mask)
    after = overlap(wear(view, shell.offsets).visibility.mask[0], mask)
    assert after > 0.95
    assert 1 - after < 0.5 * (1 - before)
    assert not shell.unreached.any()


def test_a_mask_that_the_body_fills_moves_nothing_far(posed):
    view = posed()
    shell = fit_shell(view, view.visibility.mask[0].float())
    pixel_m = float(view.root_depth[0] / view.intrinsics[0, 0, 0])
    moved = shell.offsets.abs() / pixel_m
    assert float(moved.median()) < 0.5
    assert float(moved.quantile(0.99)) < 2.0


def test_offsets_are_bounded_and_hands_and_face_are_held(posed):
    view = posed()
    mask = dilate(view.visibility.mask, 8)[0]
    offsets = fit_shell(view, mask.float()).offsets
    assert float(offsets.min()) >= -SHRINK_M - 1e-6
    hands = torch.isin(view.parts, torch.tensor([JOINT_INDEX["l_hand"], JOINT_INDEX["r_hand"]]))
    assert float(offsets[hands].max()) <= 0.025 + 1e-6
    assert float(offsets[face_vertices(view)].max()) <= 0.015 + 1e-6


def test_what_stands_far_off_is_reported_and_not_worn(posed):
    view = posed()
    mask = view.visibility.mask[0].clone()
    pole = torch.zeros_like(mask)
    pole[100:180, 120:124] = True
    shell = fit_shell(view, (mask | pole).float())
    assert shell.unreached[pole].all()
    assert not (shell.unreached & ~pole).any()


def test_a_shell_goes_with_the_body_into_any_pose(posed):
    view, bent = posed(), posed(yaw=1.0, l_shoulder=[0.0, 0.0, 1.2])
    worn = wear(bent, dressed(bent))
    moved = (worn.vertices - bent.vertices).norm(dim=-1)[0]
    torch.testing.assert_close(moved, dressed(view), atol=1e-5, rtol=0)
