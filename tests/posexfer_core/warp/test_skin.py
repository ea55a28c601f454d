"""What is bare skin, on the body and beside hair."""

import torch

from posexfer_core.warp.skin import Skin

FACE, FAIR = torch.tensor([0.8, 0.6, 0.45]), torch.tensor([0.55, 0.42, 0.25])
COLOURS = 2 * torch.stack([FACE, FAIR, torch.tensor([0.2, 0.3, 0.8])], 1) - 1


def test_fair_hair_is_no_skin_on_a_head_and_may_be_on_a_body():
    skin = Skin(FACE, FAIR)
    on_head = torch.ones(3, dtype=torch.bool)
    assert skin.told(COLOURS, on_head).tolist() == [True, False, False]
    assert skin.told(COLOURS, ~on_head).tolist()[0] is True
    assert skin.told(COLOURS, ~on_head).tolist()[2] is False


def test_a_bald_head_keeps_its_skin_and_an_unseen_one_is_judged_by_the_face():
    on_head = torch.ones(3, dtype=torch.bool)
    assert not Skin(FACE, FACE).told(COLOURS, on_head).any()
    assert bool(Skin(FACE, None).told(COLOURS, on_head)[0])
