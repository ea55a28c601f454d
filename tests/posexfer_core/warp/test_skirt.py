"""Sheets of cloth between the legs."""

import torch

from posexfer_core.warp.skirt import ROWS, skirt_faces

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
