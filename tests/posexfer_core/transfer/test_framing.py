from math import pi

import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ImageError
from posexfer_core.geometry.camera import intrinsics_matrix, project_perspective
from posexfer_core.transfer.framing import (
    Framing,
    body_box,
    cut_off_edges,
    frame_person,
    frame_photo,
)


def standing(image_size: tuple[int, int]) -> HumanParams:
    """Someone who stands upright, four metres away, off the image's centre."""
    pose = torch.zeros(24, 3)
    pose[0, 0] = pi
    return HumanParams.single(
        pose=pose,
        betas=torch.zeros(10),
        transl=torch.tensor([0.3, -0.2, 4.0]),
        intrinsics=intrinsics_matrix(500.0, image_size),
        image_size=image_size,
    )


def test_one_box_lands_centred_and_unstretched():
    framing = Framing.around([(10.0, 20.0, 30.0, 120.0)], (50, 40), margin=0.0)
    assert framing.scale == pytest.approx(0.5)  # 100 pixels high into 50
    assert framing.offset_xy == pytest.approx((20 - 40, 20))  # 80 pixels wide around x = 20


def test_the_cut_holds_both_boxes_with_their_margin():
    boxes = [(10.0, 20.0, 30.0, 120.0), (-40.0, 50.0, 10.0, 90.0)]
    framing = Framing.around(boxes, (256, 176), margin=0.1)
    for left, top, right, bottom in boxes:
        for x, y in [(left, top), (right, bottom)]:
            u, v = (framing.scale * (p - o) for p, o in zip((x, y), framing.offset_xy, strict=True))
            assert 0 < u < 176 and 0 < v < 256


def test_scale_one_copies_pixels_and_mirrors_the_image_beyond_its_edge(generator):
    image = torch.rand(1, 3, 6, 5, generator=generator)
    cut = Framing(offset_xy=(-2.0, 1.0), scale=1.0, size=(5, 6)).apply(image)
    torch.testing.assert_close(cut[..., 2:], image[..., 1:, :4])
    torch.testing.assert_close(cut[..., :2], image[..., 1:, :2].flip(-1))


@pytest.mark.parametrize("scale", [0.1, 0.37, 1.0, 2.7])
def test_a_ramp_stays_a_ramp_at_any_scale(scale):
    size = (30, 30)
    ramp = (torch.arange(400) + 0.5).expand(1, 3, 400, 400)
    cut = Framing(offset_xy=(50.3, 50.3), scale=scale, size=size).apply(ramp)
    expected = (torch.arange(30) + 0.5) / scale + 50.3
    inside = expected < 380
    torch.testing.assert_close(cut[0, 0, 0][inside], expected[inside], rtol=0, atol=0.06)


@pytest.mark.parametrize("size", [(256, 176), (512, 352), (64, 64)])
@pytest.mark.parametrize("image_size", [(425, 640), (900, 300)])
def test_a_body_lands_whole_in_the_cut(body, size, image_size):
    params = standing(image_size)
    box = body_box(BodyView.of(params, body))
    framing = Framing.around([box], size)
    framed = body_box(framing.reframe(BodyView.of(params, body)))
    assert min(framed[:2]) > 0 and framed[2] < size[1] and framed[3] < size[0]
    aspect = (box[2] - box[0]) / (box[3] - box[1])
    assert (framed[2] - framed[0]) / (framed[3] - framed[1]) == pytest.approx(aspect, rel=1e-4)


def test_bodies_move_with_the_cut(body):
    view = BodyView.of(standing((425, 640)), body)
    framing = Framing(offset_xy=(200.0, 10.0), scale=0.5, size=(256, 176))
    framed = framing.reframe(view)
    assert framed.size == (256, 176)
    before, after = (project_perspective(one.joints, one.intrinsics) for one in (view, framed))
    expected = 0.5 * (before - torch.tensor([200.0, 10.0]))
    torch.testing.assert_close(after, expected, atol=1e-3, rtol=0)  # pixels


def test_pasting_back_an_unchanged_cut_restores_a_smooth_image():
    rows, columns = torch.meshgrid(torch.arange(200.0), torch.arange(300.0), indexing="ij")
    image = torch.stack([(rows / 40).sin(), (columns / 50).cos(), (rows - columns) / 300])[None]
    framing = Framing.around([(100.0, 20.0, 180.0, 190.0)], (256, 176))
    restored = framing.paste(framing.apply(image), image.clone())
    assert restored.shape == image.shape
    assert (restored - image).abs().max() < 0.02


def test_pasting_leaves_what_lies_outside_the_cut():
    original = torch.zeros(1, 3, 100, 100)
    framing = Framing(offset_xy=(20.0, 30.0), scale=2.0, size=(64, 48))
    pasted = framing.paste(torch.ones(1, 3, 64, 48), original.clone(), feather=0.0)
    expected = torch.zeros_like(original)
    expected[..., 30:62, 20:44] = 1.0
    torch.testing.assert_close(pasted, expected)


def test_a_whole_image_is_padded_never_stretched():
    framing = Framing.whole((100, 300), (256, 176))
    assert framing.scale == pytest.approx(176 / 300)
    assert framing.offset_xy[0] == pytest.approx(0.0)
    assert framing.offset_xy[1] < 0


def test_pasting_another_size_is_refused():
    framing = Framing.whole((100, 300), (256, 176))
    with pytest.raises(ImageError, match="expected the cut's"):
        framing.paste(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 100, 300))


def test_a_person_cut_off_by_the_image_stays_cut_off():
    person, wanted = (20.0, 10.0, 60.0, 190.0), (-5.0, 5.0, 70.0, 185.0)
    framing = frame_person(person, [wanted], (64, 64), (100, 80))
    bottom = framing.offset_xy[1] + 64 / framing.scale
    assert bottom == pytest.approx(100.0)  # pixels of the image: no row below the last one
    assert framing.offset_xy[0] < -5.0 and framing.offset_xy[1] < 5.0


def test_a_person_who_hardly_leaves_the_image_is_padded():
    person = (20.0, 10.0, 60.0, 105.0)
    assert cut_off_edges(person, (100, 80)) == (False, False, False, False)
    framing = frame_person(person, [], (64, 64), (100, 80))
    assert framing.offset_xy[1] + 64 / framing.scale > 105.0


def test_a_image_that_fits_already_stays_as_it_is():
    framing = frame_person(
        (20.0, 10.0, 60.0, 90.0), [(0.0, 0.0, 80.0, 100.0)], (100, 80), (100, 80)
    )
    assert framing == Framing(offset_xy=(0.0, 0.0), scale=1.0, size=(100, 80))


def test_what_lies_beyond_the_image_is_known_and_nobody_is_there():
    framing = Framing(offset_xy=(-2.0, 1.0), scale=1.0, size=(5, 6))
    beyond = framing.beyond((6, 5))
    assert beyond[0, :, :2].all() and not beyond[0, :, 2:].any()
    mask = framing.apply_to_mask(torch.ones(1, 1, 6, 5))
    assert torch.equal(mask[0, 0] == 0, beyond[0])


def test_a_photo_is_framed_whole_and_grows_only_where_asked_and_not_where_it_cuts_the_person_off():
    inside, above = (30.0, 20.0, 70.0, 90.0), (30.0, -10.0, 70.0, 90.0)
    whole = frame_photo(inside, [above], (100, 103), scale=0.5, multiple=8)
    assert whole == Framing(offset_xy=(0.0, 0.0), scale=0.5, size=(48, 48))
    grown = frame_photo(inside, [above], (100, 103), grown=True)
    assert grown == Framing(offset_xy=(0.0, -14.0), scale=1.0, size=(114, 103))  # 10 and 4 % of 100
    below = (30.0, -20.0, 70.0, 90.0)
    cut_off = frame_photo(below, [(30.0, -30.0, 70.0, 90.0)], (100, 103), grown=True)
    assert cut_off == Framing(offset_xy=(0.0, 0.0), scale=1.0, size=(100, 103))


def test_pasting_what_changed_leaves_all_other_pixels_as_they_were(generator):
    original = torch.rand(1, 3, 40, 50, generator=generator)
    framing = Framing(offset_xy=(5.0, 5.0), scale=0.5, size=(16, 16))
    changed = torch.zeros(1, 1, 16, 16)
    changed[..., 6:10, 6:10] = 1.0
    pasted = framing.paste(torch.ones(1, 3, 16, 16), original.clone(), changed=changed, feather=0.0)
    differs = (pasted != original).any(1)[0]
    assert differs[17:25, 17:25].all() and differs.sum() == 8 * 8
    untouched = ~differs
    assert torch.equal(pasted[..., untouched], original[..., untouched])


def test_the_cut_is_soft_only_where_it_ends_inside_the_image():
    framing = Framing(offset_xy=(-10.0, 20.0), scale=1.0, size=(60, 90))
    pasted = framing.paste(torch.ones(1, 1, 60, 90), torch.zeros(1, 1, 70, 100), feather=0.1)[0, 0]
    assert not pasted[:20].any() and float(pasted[20, 0]) == pytest.approx(0.5 / 6.0)
    assert (pasted[30:, :70] == 1.0).all(), "the photo ends there, and the cut goes on"
    assert (pasted[30:, 74:80] < 1.0).all() and not pasted[:, 80:].any()
