"""What is bare skin."""

import torch

from posexfer_core.warp.clothed_shell import face_vertices
from posexfer_core.warp.hairline import CHEEK_BOTTOM
from posexfer_core.warp.skin import Skin, bare_trunk, find_skin

FACE = torch.tensor([0.8, 0.6, 0.45])
COLOURS = 2 * torch.stack([FACE, 0.6 * FACE, 0.3 * FACE, torch.tensor([0.2, 0.3, 0.8])], 1) - 1


def test_skin_has_the_colour_of_the_face_in_some_light():
    assert Skin(FACE).told(COLOURS).tolist() == [True, True, False, False]


def test_a_back_is_bare_above_a_strapless_top_and_not_behind_a_neckline(posed):
    view = posed()
    across, height, depth = view.canonical.unbind(1)
    front, bust = depth > 0.0, height > 0.35
    back = bare_trunk(view, front, bust) & ~front
    chest = (height > 0.38) & (height < 0.48) & ~front & (across.abs() < 0.1)
    assert bool(back[chest].all())
    assert not bool((back & (height < 0.32)).any())
    assert not bool(bare_trunk(view, front, bust & (across.abs() < 0.04)).any())


def test_the_chin_tells_skin_where_the_photo_cuts_off_the_cheeks(posed):
    view = posed(size=(384, 256))
    seen, faces, face = view.visibility, view.faces.long(), face_vertices(view)

    def pixels_of(vertices):
        return vertices[faces].all(1)[seen.face_id.clamp(min=0).long()] & seen.mask

    blue = torch.tensor([-0.6, -0.4, 0.6])[None, :, None, None].expand(1, 3, *view.size)
    image = torch.where(pixels_of(face)[:, None], (2 * FACE - 1)[None, :, None, None], blue)
    below = seen.mask & ~pixels_of(view.canonical[:, 1] > CHEEK_BOTTOM - 0.005)
    skin = find_skin(image, view, face, below)
    assert skin is not None
    assert torch.allclose(skin.face, FACE, atol=1e-6)
    assert find_skin(image, view, face, below & ~pixels_of(face)) is None
