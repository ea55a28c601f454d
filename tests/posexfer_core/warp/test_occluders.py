"""What lies before what, by the fitted body and by colours."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.occluders import occluder_table
from posexfer_core.warp.skin import Skin

SIZE = (384, 256)
RED, BLUE, GREEN = (
    torch.tensor(c).view(1, 3, 1, 1) for c in ([1.0, -1, -1], [-1.0, -1, 1], [-1.0, 0.5, -1])
)
ACROSS = {"l_shoulder": [0.0, -0.9, -1.1], "l_elbow": [0.0, -1.6, 0.0]}
FOREARM = torch.tensor([JOINT_INDEX[f"l_{name}"] for name in ("elbow", "wrist", "hand")])
TRUNK = torch.tensor([JOINT_INDEX[n] for n in ("pelvis", "spine1", "spine2", "spine3")])


def drawn(view, parts) -> torch.Tensor:
    labels = torch.isin(view.parts, parts).float()[None, :, None]
    return interpolate(view.visibility, view.faces, labels)[..., 0] > 0.5


def photo(view, forearm) -> tuple[torch.Tensor, torch.Tensor]:
    """A red forearm before a person in blue, and the mask."""
    person = view.visibility.mask[:, None]
    image = torch.where(person, BLUE, GREEN.expand(1, 3, *SIZE))
    return torch.where(forearm[:, None], RED, image), person.float()


def hides(table, part, where) -> torch.Tensor:
    """At which of some pixels something is told to lie before a part."""
    rows, columns = torch.meshgrid(*(torch.arange(s) for s in SIZE), indexing="ij")
    row = rows * table.shape[1] // SIZE[0]
    column = columns * table.shape[2] // SIZE[1]
    return (table[JOINT_INDEX[part], row, column] == 0)[where[0]]


def test_a_hand_hides_the_trunk_as_far_as_it_has_its_colour(posed):
    view = posed(size=SIZE, **ACROSS)
    fitted = drawn(view, FOREARM)
    shown = dilate(fitted, 6)  # 4 cm
    beyond = shown & ~dilate(fitted, 3) & drawn(view, TRUNK)
    assert beyond.sum() > 150
    table = occluder_table(view, *photo(view, shown))
    assert float(hides(table, "spine2", beyond).float().mean()) > 0.9
    far = drawn(view, TRUNK) & ~dilate(shown, 4)
    assert not hides(table, "spine2", far).any()
    assert not hides(table, "l_elbow", fitted).any()


def test_a_fitted_hand_is_not_seen_where_the_colour_is_that_of_the_trunk(posed):
    view = posed(size=SIZE, **ACROSS)
    fitted = drawn(view, FOREARM)
    hand = drawn(view, FOREARM[2:]) & dilate(drawn(view, TRUNK), 12)
    assert hand.sum() > 60
    table = occluder_table(view, *photo(view, fitted & ~hand))
    assert float(hides(table, "l_hand", hand).float().mean()) > 0.8
    rest = fitted & ~dilate(hand, 3)
    assert float(hides(table, "l_elbow", rest).float().mean()) < 0.05


def test_a_bare_upper_arm_is_not_seen_where_the_garment_beside_it_is(posed):
    view = posed(size=SIZE, l_shoulder=[0.0, 0.0, -1.3], r_shoulder=[0.0, 0.0, 1.3])
    skin = Skin(torch.tensor([0.8, 0.6, 0.45]))
    left, right = (drawn(view, torch.tensor([JOINT_INDEX[f"{s}_shoulder"]])) for s in "lr")
    garment = left & ~left.roll(6, 2)  # 4 cm of the fitted arm, towards the trunk
    rest = left & ~dilate(garment, 3)
    assert garment.sum() > 100 and rest.sum() > 200
    image, person = photo(view, torch.zeros_like(left))
    bare = 2 * skin.face.view(1, 3, 1, 1) - 1
    image = torch.where(((left & ~garment) | right)[:, None], bare, image)
    table = occluder_table(view, image, person, skin)
    assert float(hides(table, "l_shoulder", garment).float().mean()) > 0.6
    assert float(hides(table, "l_shoulder", rest).float().mean()) < 0.05
    assert not hides(occluder_table(view, image, person), "l_shoulder", garment).any()
