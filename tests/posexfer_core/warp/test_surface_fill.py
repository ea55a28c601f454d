"""Colours for what no photo shows."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.warp.clothed_shell import face_vertices
from posexfer_core.warp.mesh_smoothing import neighbour_table
from posexfer_core.warp.surface_fill import fill_surface

RED, BLUE, WHITE = torch.eye(3)[0], torch.eye(3)[2], torch.ones(3)
TRUNK = torch.tensor([JOINT_INDEX[name] for name in ("pelvis", "spine1", "spine2", "spine3")])


def nobody(view) -> torch.Tensor:
    return torch.zeros(len(view.canonical), dtype=torch.bool)


def around(view) -> torch.Tensor:
    return neighbour_table(view.faces, len(view.canonical))


def test_a_belt_goes_on_at_its_height_all_around(posed):
    view = posed()
    trunk, height = torch.isin(view.parts, TRUNK), view.canonical[:, 1]
    colours = torch.where(height[:, None] > 0.1, RED, BLUE)
    seen = (view.canonical[:, 0] > 0.1).float()  # one side of the trunk, and one arm and leg
    filled = fill_surface(
        colours, seen, view, nobody(view), nobody(view), nobody(view), around(view)
    )
    off_belt = trunk & ((height - 0.1).abs() > 0.08)
    assert float((filled - colours).abs().amax(1)[off_belt].max()) < 0.2


def test_what_is_known_stays_and_limbs_wear_their_own(posed):
    view = posed()
    arm = torch.isin(view.parts, torch.tensor([JOINT_INDEX["l_elbow"], JOINT_INDEX["r_elbow"]]))
    colours = torch.where(arm[:, None], WHITE, RED)
    confidence = (torch.arange(len(arm)) % 7 == 0).float()
    start = torch.where(confidence[:, None] > 0, colours, BLUE)
    filled = fill_surface(
        start, confidence, view, nobody(view), nobody(view), nobody(view), around(view)
    )
    inner = arm & (view.canonical[:, 0].abs() > 0.58) & (view.canonical[:, 0].abs() < 0.76)
    for where in (confidence > 0) & ~arm, inner:
        assert float((filled - colours).abs().amax(1)[where].median()) < 0.01


def test_faces_ask_faces_and_no_skin_goes_behind_them_or_on_the_trunk(posed):
    view = posed()
    face, height = face_vertices(view), view.canonical[:, 1]
    bare = face | (torch.isin(view.parts, TRUNK) & (height > 0.2) & (height < 0.3))
    colours = torch.where(bare[:, None], WHITE, RED)
    left = view.canonical[:, 0] > 0.02
    filled = fill_surface(colours, left.float(), view, face, bare, nobody(view), around(view))
    inside = face & (view.canonical[:, 0] < -0.02) & (view.canonical[:, 2] > 0.08)
    assert float((filled[inside] - WHITE).abs().mean()) < 0.1
    covered = torch.isin(view.parts, TRUNK) & (view.canonical[:, 0] < -0.05)
    assert float((filled[covered] - RED).abs().amax(1).max()) < 0.2
    filled = fill_surface(colours, left.float(), view, face, bare, bare & ~face, around(view))
    belly = covered & ((height - 0.25).abs() < 0.02)
    assert float(filled[belly, 1].mean()) > 0.5


def test_doubtful_colours_count_less(posed):
    view = posed()
    doubtful = torch.arange(len(view.canonical)) % 3 == 0
    colours = torch.where(doubtful[:, None], BLUE, RED)
    confidence = torch.where(doubtful, 0.01, 1.0)
    unknown = torch.isin(view.parts, TRUNK) & (view.canonical[:, 2] < -0.05)
    confidence[unknown] = 0.0
    filled = fill_surface(
        colours, confidence, view, nobody(view), nobody(view), nobody(view), around(view)
    )
    share = (filled[unknown] - RED).abs().amax(1).median()
    assert float(share) < 0.25, "a third of the colours would count as a third"


def test_without_anything_known_all_is_zero(posed):
    view = posed()
    count = len(view.canonical)
    ones, zeros = torch.ones(count, 3), torch.zeros(count)
    filled = fill_surface(ones, zeros, view, nobody(view), nobody(view), nobody(view), around(view))
    assert float(filled.abs().max()) == 0.0
