"""What is bare skin."""

import torch

from posexfer_core.warp.skin import Skin

FACE = torch.tensor([0.8, 0.6, 0.45])
COLOURS = 2 * torch.stack([FACE, 0.6 * FACE, 0.3 * FACE, torch.tensor([0.2, 0.3, 0.8])], 1) - 1


def test_skin_has_the_colour_of_the_face_in_some_light():
    assert Skin(FACE).told(COLOURS).tolist() == [True, True, False, False]
