import torch

from posexfer_core.warp.mirrored_border import with_mirror

ROW = (9.0, 9.0, 1.0, 2.0, 3.0, 9.0)
"""Two and one pixels of border around three of a photo."""


def test_a_border_is_the_mirror_image_without_what_is_cut_out():
    image = torch.tensor(ROW).expand(1, 3, 4, 6)
    border = torch.ones(1, 4, 6, dtype=torch.bool)
    border[:, 1:, 2:5] = False
    person = torch.zeros(1, 4, 6, dtype=torch.bool)
    person[0, 1, 2] = True  # 1 in the first row of the photo
    hole, filled = with_mirror(image, person, torch.full((3, 1), 7.0), border)
    assert torch.equal(hole, border | person)
    shown = image[0, 0].clone()
    shown[hole[0]] = filled[0]
    first, other = [2.0, 7.0, 7.0, 2.0, 3.0, 3.0], [2.0, 1.0, 1.0, 2.0, 3.0, 3.0]
    assert shown.tolist() == [first, first, other, other]


def test_without_anything_inside_nothing_changes():
    image, everywhere = torch.zeros(1, 3, 2, 2), torch.ones(1, 2, 2, dtype=torch.bool)
    hole, filled = with_mirror(image, ~everywhere, torch.zeros(3, 0), everywhere)
    assert not hole.any() and filled.shape == (3, 0)
