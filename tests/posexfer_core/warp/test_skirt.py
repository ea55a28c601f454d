"""Sheets of cloth between the legs."""

import torch

from posexfer_core.geometry.camera import project_perspective
from posexfer_core.warp.skirt import ROWS, _flare, skirt_faces

SIZE = (384, 256)
APART = 0.17
"""Radians that each thigh is turned outward."""


def test_cloth_between_the_legs_joins_them(posed):
    view = posed(size=SIZE, l_hip=[0.0, 0.0, APART], r_hip=[0.0, 0.0, -APART])
    sheets = skirt_faces(view, torch.ones(SIZE)).long()
    assert len(sheets) == 4 * (ROWS - 1)  # down to the ankles, before and behind
    sides = view.canonical[sheets, 0].sign()
    assert bool((sides.amin(1) < sides.amax(1)).all())  # from one leg to the other


def test_legs_with_nothing_between_them_are_not_joined(posed):
    view = posed(size=SIZE, l_hip=[0.0, 0.0, APART], r_hip=[0.0, 0.0, -APART])
    assert len(skirt_faces(view, view.visibility.mask[0].float())) == 0


def bell(view) -> torch.Tensor:
    """The mask of closed legs in a skirt that is ever wider down to the shins."""
    row, column = torch.meshgrid(*(torch.arange(side) + 0.5 for side in SIZE), indexing="ij")
    pixels = project_perspective(view.vertices, view.intrinsics)[0]
    waist, floor = (float(pixels[view.canonical[:, 1] > low, 1].max()) for low in (0.0, -0.8))
    wide = (0.1 + 0.5 * (row - waist) / (floor - waist)) * view.px_per_m
    skirt = (row > waist) & (row < floor) & ((column - SIZE[1] / 2).abs() < wide)
    return (skirt | view.visibility.mask[0]).float()


def test_a_skirt_that_stands_far_off_closed_legs_joins_them(posed):
    view = posed(size=SIZE)
    assert len(skirt_faces(view, bell(view))) > 0


def test_somebody_who_sits_is_hardly_measured(posed):
    everywhere = torch.ones(SIZE, dtype=torch.bool)
    seated = posed(size=SIZE, l_hip=[-1.5, 0.0, 0.0], r_hip=[-1.5, 0.0, 0.0])
    assert _flare(seated, everywhere) < 0.1 * _flare(posed(size=SIZE), everywhere)
