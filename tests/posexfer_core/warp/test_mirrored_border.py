import torch

from posexfer_core.warp.mirrored_border import _blurred, with_mirror

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


def test_a_soft_border_begins_as_the_mirror_image_and_loses_its_detail():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 64, 160, generator=generator)
    border = torch.ones(1, 64, 160, dtype=torch.bool)
    border[..., 64:96] = False
    none, nothing = torch.zeros_like(border), torch.zeros(3, 0)
    sharp, soft = (
        with_mirror(image, none, nothing, border, soft=one)[1].reshape(3, 64, 128)
        for one in (False, True)
    )
    torch.testing.assert_close(soft[..., 63], sharp[..., 63], atol=0.25, rtol=0)
    spread = [float(one[..., :16].std()) for one in (sharp, soft)]
    assert spread[1] < 0.2 * spread[0]
    torch.testing.assert_close(soft[..., :16].mean(), sharp.mean(), atol=0.02, rtol=0)


def test_what_is_not_to_be_softer_stays():
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    radius = torch.zeros(8, 8)
    radius[:, 5:] = 2.0
    blurred = _blurred(image, radius)
    assert torch.equal(blurred[..., :5], image[..., :5])
    assert float(blurred[..., 5:].std()) < 0.5 * float(image[..., 5:].std())
