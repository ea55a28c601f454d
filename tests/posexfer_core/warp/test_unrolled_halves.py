"""Each half of trunk and legs is laid out by angle and height."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.warp.unrolled_halves import COLUMNS, ROWS_PER_UNIT, unroll_halves


def test_outer_sides_are_in_the_middle_and_heights_go_down(posed):
    view = posed()
    x, y, z = view.canonical.unbind(1)
    for half, sign in zip(unroll_halves(view), (1.0, -1.0), strict=True):
        side = sign * x[half.vertices]
        column, row = half.pixels.unbind(1)
        thigh = (y[half.vertices] < -0.25) & (y[half.vertices] > -0.5)
        outermost = thigh & (side > side[thigh].max() - 0.01)
        assert float((column[outermost] - COLUMNS / 2).abs().max()) < COLUMNS / 8
        ahead = thigh & (z[half.vertices] > z[half.vertices][thigh].max() - 0.02)
        assert bool(((column[ahead] - COLUMNS / 2) * -sign > COLUMNS / 8).all())
        spread = row + ROWS_PER_UNIT * y[half.vertices]
        assert float(spread.max() - spread.min()) < 1e-3


def test_vertices_are_found_where_they_lie(posed):
    view = posed()
    for half in unroll_halves(view):
        corners, weights, there = half.at(half.pixels)
        assert float(there.float().mean()) > 0.9
        found = (weights[..., None] * view.canonical[corners]).sum(1)
        apart = (found - view.canonical[half.vertices]).norm(dim=1)[there]
        assert float(apart.median()) < 0.01


def test_feet_arms_and_the_other_leg_are_no_part(posed):
    view = posed()
    left, right = unroll_halves(view)
    assert JOINT_INDEX["l_knee"] in view.parts[left.vertices]
    for joint in ("r_hip", "r_knee", "l_ankle", "l_shoulder", "head"):
        assert JOINT_INDEX[joint] not in view.parts[left.vertices]
    both = torch.isin(left.vertices, right.vertices)
    assert float(view.canonical[left.vertices[both], 0].abs().max()) < 2e-3
