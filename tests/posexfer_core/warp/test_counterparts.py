"""Which place stands for which."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.warp.clothed_shell import face_vertices
from posexfer_core.warp.counterparts import find_counterparts, part_distances, with_jaw
from posexfer_core.warp.hairline import COLUMNS, HairBand

HAIRLINE = 0.82
HAIR = HairBand(-0.08, 0.08, torch.full((COLUMNS,), HAIRLINE), torch.full((COLUMNS,), 0.88))


def test_bones_between_joints_are_counted():
    apart = part_distances()
    assert apart[JOINT_INDEX["l_hand"], JOINT_INDEX["pelvis"]] == 8
    assert apart[JOINT_INDEX["l_hip"], JOINT_INDEX["r_hip"]] == 2
    assert torch.equal(apart, apart.T)


def test_the_back_of_the_trunk_looks_at_its_front_at_the_same_height(posed):
    view = posed()
    front = find_counterparts(view, face_vertices(view), HAIR, None)[0]
    places = view.canonical
    found = front.carried(places[None])[0]
    back = (view.parts == JOINT_INDEX["spine2"]) & (places[:, 2] < -0.05)
    back &= places[:, 0].abs() < 0.08
    assert back.sum() > 20
    assert bool(front.allowed[back].all())
    torch.testing.assert_close(found[back, :2], places[back, :2], atol=0.02, rtol=0)
    assert bool((found[back, 2] > 0).all())


def test_left_stands_for_right(posed):
    view = posed()
    mirrored = find_counterparts(view, face_vertices(view), HAIR, None)[1]
    found = mirrored.carried(view.canonical[None])[0]
    arm = (view.parts == JOINT_INDEX["l_elbow"]) & mirrored.allowed
    assert arm.sum() > 250
    wanted = view.canonical[arm] * torch.tensor([-1.0, 1.0, 1.0])
    error = (found[arm] - wanted).norm(dim=1)
    assert float(error.median()) < 0.01
    assert bool((found[arm, 0] < 0).all())


def test_no_head_takes_a_face_for_its_back(posed):
    view = posed()
    face = face_vertices(view)
    back = (view.parts == JOINT_INDEX["head"]) & (view.canonical[:, 2] < -0.03)
    for kind in find_counterparts(view, face, HAIR, None):
        asks = back & kind.allowed
        looks_at_face = (face[kind.corners].float() * kind.weights).sum(1) > 0.5
        assert not (asks & looks_at_face).any()
    hair = find_counterparts(view, face, HAIR, None)[3]
    low = back & (view.canonical[:, 1] < HAIRLINE) & hair.allowed
    assert low.sum() > 50
    heights = hair.carried(view.canonical[None])[0, low, 1]
    assert bool((heights > HAIRLINE - 0.02).all())
    order = view.canonical[low, 1].argsort()
    climbs = heights[order[:10]].mean() - heights[order[-10:]].mean()
    assert 0.03 < float(climbs) < 0.08, "the nape looks at the crown, without folds on the way"


def test_the_side_of_a_jaw_is_face_and_a_nape_is_not(posed):
    view = posed()
    face = with_jaw(view, face_vertices(view))
    _, height, depth = view.canonical.unbind(1)
    head = view.parts == JOINT_INDEX["head"]
    assert bool(face[head & (height < 0.72) & (depth > 0.02)].all())
    assert not face[head & (depth < -0.03)].any()
    mirrored = find_counterparts(view, face, HAIR, None)[1]
    looks_at_face = (face[mirrored.corners].float() * mirrored.weights).sum(1) > 0.5
    assert not mirrored.no_skin[face].any()
    assert float(looks_at_face[face & mirrored.allowed].float().mean()) > 0.95
