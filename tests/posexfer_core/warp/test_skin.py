"""What is bare skin."""

import torch

from posexfer_core.warp.skin import Skin, bare_trunk

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
