"""Hands that are drawn before a body and not shown there."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.warp.dressed_person import dress
from posexfer_core.warp.hidden_hands import with_hidden_hands
from posexfer_core.warp.skin import Skin

SIZE = (384, 256)
FACE = torch.tensor([0.8, 0.6, 0.45])
BARE, BLUE = 2 * FACE.view(1, 3, 1, 1) - 1, torch.tensor([-1.0, -1, 1]).view(1, 3, 1, 1)
ACROSS = {"l_shoulder": [0.0, -0.9, -1.3], "l_elbow": [0.0, -0.9, 0.0]}
HAND = ("l_wrist", "l_hand")
FOREARM = ("l_elbow", *HAND)
TRUNK = ("pelvis", "spine1", "spine2", "spine3", "l_hip", "r_hip")


def vertices_of(view, names) -> torch.Tensor:
    return torch.isin(view.parts, torch.tensor([JOINT_INDEX[name] for name in names]))


def drawn(view, names) -> torch.Tensor:
    """Where a part is seen."""
    seen = view.visibility
    faces = vertices_of(view, names)[view.faces.long()].all(1)
    return faces[seen.face_id.clamp(min=0).long()] & seen.mask


def photo(view, bare) -> torch.Tensor:
    return torch.where(bare[:, None], BARE, BLUE.expand(1, 3, *SIZE))


def moved(view, found) -> torch.Tensor:
    return (found.vertices != view.vertices).any(-1)[0]


def test_a_bare_arm_without_skin_before_the_trunk_is_behind_it(posed):
    view = posed(size=SIZE, **ACROSS)
    stretched = posed(size=SIZE)
    body = stretched.visibility.mask & ~drawn(stretched, ("l_shoulder", *FOREARM))
    assert (drawn(view, HAND) & body).sum() > 100
    image = photo(view, drawn(view, FOREARM) & ~body)
    found = with_hidden_hands(view, image, view.visibility.mask, Skin(FACE))
    assert torch.equal(moved(view, found), vertices_of(view, FOREARM))
    assert not (drawn(found, FOREARM) & drawn(view, TRUNK)).any()
    assert drawn(found, TRUNK).sum() > drawn(view, TRUNK).sum() + 200
    places = (project_perspective(one.vertices, one.intrinsics) for one in (view, found))
    torch.testing.assert_close(*places, atol=0.01, rtol=0.0)  # pixels


def test_a_sleeve_stays_before_the_trunk_when_its_hand_is_in_a_pocket(posed):
    view = posed(size=SIZE, **ACROSS)
    nothing_bare = torch.zeros(1, *SIZE, dtype=torch.bool)
    image = photo(view, nothing_bare)
    found = with_hidden_hands(view, image, view.visibility.mask, Skin(FACE))
    assert torch.equal(moved(view, found), vertices_of(view, HAND))


def test_a_hand_that_is_shown_stays_and_so_does_one_whose_skin_is_beside_it(posed):
    view = posed(size=SIZE, **ACROSS)
    hand, skin = drawn(view, HAND), Skin(FACE)
    shown = view.visibility.mask
    assert not moved(view, with_hidden_hands(view, photo(view, hand), shown, skin)).any()
    beside = hand.roll(13, 2)  # 8 cm
    assert not moved(view, with_hidden_hands(view, photo(view, beside), shown, skin)).any()


def test_without_a_colour_of_skin_nothing_is_moved(posed):
    view = posed(size=SIZE, **ACROSS)
    image = photo(view, torch.zeros(1, *SIZE, dtype=torch.bool))
    assert with_hidden_hands(view, image, view.visibility.mask, None) is view


def test_a_dressed_person_shows_the_garment_where_a_hidden_hand_is_drawn(posed):
    view = posed(size=SIZE, **ACROSS)
    bare = drawn(view, ("head",))
    field = dress(photo(view, bare), view, view.visibility.mask[:, None].float()).field
    assert field.skin is not None
    assert not drawn(field.view, HAND).any()
    shown = photo(view, bare | drawn(view, HAND))
    field = dress(shown, view, view.visibility.mask[:, None].float()).field
    assert drawn(field.view, HAND).any()
