"""A tube around both legs, in any pose."""

from dataclasses import replace

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.normals import vertex_normals
from posexfer_core.warp.clothed_shell import Clothes
from posexfer_core.warp.skirt_tube import COLUMNS, has_legs, with_skirt

SIZE = (384, 256)
HEM = -0.5


def tube_of(view) -> torch.Tensor:
    """Its vertices, (rows, columns, 3)."""
    count = len(view.canonical)
    return with_skirt(view, HEM).vertices[0, count:].reshape(-1, COLUMNS, 3)


def test_a_skirt_closes_what_lies_between_the_legs_and_nothing_below(posed):
    bare = posed(size=SIZE, l_hip=[0.0, 0.0, 0.2], r_hip=[0.0, 0.0, -0.2])
    worn = with_skirt(bare, HEM)
    left, right = (bare.joints[0, JOINT_INDEX[f"{side}_knee"]] for side in "lr")
    row = int((bare.intrinsics[0, 1] @ ((left + right) / 2)) / left[2])
    column = SIZE[1] // 2
    above, below = row - SIZE[0] // 25, row + SIZE[0] // 25
    assert not bool(bare.visibility.mask[0, above, column])
    assert bool(worn.visibility.mask[0, above, column])
    assert not bool(worn.visibility.mask[0, below, column])


def test_its_faces_look_outward(posed):
    bare = posed(size=SIZE)
    worn, count = with_skirt(bare, HEM), len(bare.canonical)
    normals = vertex_normals(worn.vertices, worn.faces)[0, count:].reshape(-1, COLUMNS, 3)
    rings = tube_of(bare)
    outward = rings - rings.mean(1, keepdim=True)
    assert bool(((normals * outward).sum(2)[3:] > 0).all())


def test_its_sides_go_with_their_legs(posed):
    """The left leg is raised: the left side at the knee moves as the knee does, the right stays."""
    still, raised = posed(size=SIZE), posed(size=SIZE, l_hip=[-0.8, 0.0, 0.0])
    moved = (tube_of(raised) - tube_of(still))[-1]
    knee = (raised.joints - still.joints)[0, JOINT_INDEX["l_knee"]]
    left, right = COLUMNS // 4, 3 * COLUMNS // 4
    assert float((moved[left] - knee).norm()) < 0.2 * float(knee.norm())
    assert float(moved[right].norm()) < 0.02


def test_no_leg_stands_out_of_it(posed):
    """Faces of both legs are left out down to the hem, so that a stride cannot pierce it."""
    bare = posed(size=SIZE)
    worn = with_skirt(bare, HEM)
    thigh = (bare.parts == JOINT_INDEX["l_hip"]) & (bare.canonical[:, 1] > HEM + 0.1)
    thigh &= bare.canonical[:, 1] < -0.14
    left_out = ~torch.isin(torch.arange(len(bare.canonical)), worn.faces.long().unique())
    assert int(thigh.sum()) > 50
    assert bool(left_out[thigh].all())


def test_clothes_fit_any_pose_and_come_without_the_skirt_too(posed):
    bare, other = posed(size=SIZE), posed(size=SIZE, l_hip=[-0.8, 0.0, 0.0])
    count = len(bare.canonical)
    offsets = torch.full((len(with_skirt(bare, HEM).canonical),), 0.02)
    clothes = Clothes(offsets, HEM)
    assert torch.equal(clothes.on(bare).faces, clothes.on(other).faces)
    plain = clothes.without_skirt(bare).on(other)
    assert torch.equal(plain.faces, bare.faces)
    assert len(plain.canonical) == count


def test_details_of_the_skin_stay_where_they_are(posed):
    bare = posed(size=SIZE)
    first = torch.eye(len(bare.canonical))[:3]
    bare = replace(bare, detail_regressors={"face": first})
    found = with_skirt(bare, HEM).located("face")
    assert found is not None and torch.equal(found, bare.vertices[:, :3])


def test_a_coarse_body_wears_one_too(posed, thinned):
    """One vertex in 20: some heights have none."""
    bare = posed(size=SIZE)
    coarse = thinned(bare, torch.arange(len(bare.canonical)) % 20 == 0)
    assert has_legs(coarse)
    apart = tube_of(coarse) - tube_of(bare)
    assert float(apart.norm(dim=2).median()) < 0.03
