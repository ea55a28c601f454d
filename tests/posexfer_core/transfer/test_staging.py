from dataclasses import replace
from math import pi

import pytest
import torch

from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ConfigError, ImageError
from posexfer_core.transfer.framing import body_box
from posexfer_core.transfer.retarget_in_photo import NECK
from posexfer_core.transfer.staging import stage
from posexfer_core.warp.dressed_person import SourcePhoto
from posexfer_core.warp.skirt import LENGTHS
from tests.people import facing_camera

SIZE = (256, 176)


def standing(
    image_size: tuple[int, int], *, arm_deg: float = 60.0, down_m: float = 0.0, shape: float = 0.0
) -> HumanParams:
    """Someone who faces the camera, 4.5 m away."""
    focal_px = 1.5 * image_size[0]
    return facing_camera(image_size, (0.0, down_m, 4.5), focal_px, arm_deg=arm_deg, shape=shape)


def test_both_bodies_lie_whole_in_one_cut_of_the_size_asked_for(body, generator):
    image = torch.rand(1, 3, 400, 700, generator=generator)
    staged = stage(image, standing((400, 700)), standing(SIZE, arm_deg=0.0), body, size=SIZE)
    assert staged.image.shape == (1, 3, *SIZE)
    assert staged.source is not None
    torch.testing.assert_close(staged.source.intrinsics, staged.target.intrinsics)
    for view in (staged.source, staged.target):
        left, top, right, bottom = body_box(view)
        assert view.size == SIZE
        assert left >= 0 and top >= 0 and right <= SIZE[1] and bottom <= SIZE[0]


def test_the_target_gets_the_sources_shape(body):
    image, source = torch.zeros(1, 3, *SIZE), standing(SIZE, shape=1.5)
    staged = stage(image, source, standing(SIZE), body)
    assert staged.source is not None
    torch.testing.assert_close(staged.target.vertices, staged.source.vertices, atol=1e-3, rtol=0)


def test_a_image_that_fits_already_is_not_resampled(body, generator):
    image = torch.rand(1, 3, *SIZE, generator=generator)
    staged = stage(image, standing(SIZE), standing(SIZE), body)
    assert torch.equal(staged.image, image)


def test_a_skirt_told_is_worn_in_every_frame(body):
    image = torch.zeros(1, 3, *SIZE)
    staged = stage(image, standing(SIZE), standing(SIZE, arm_deg=0.0), body)
    assert staged.prepared().clothes.hem is None
    assert staged.prepared(skirt="knee").clothes.hem == LENGTHS["knee"]
    worn = next(staged.warps(skirt="calf")).worn
    assert len(worn.canonical) > len(staged.target.canonical)


def test_without_retargeting_the_target_keeps_its_camera(body):
    image, target = torch.zeros(1, 3, 400, 700), standing(SIZE, shape=-1.0)
    staged = stage(image, standing((400, 700)), target, body, retargeted=False)
    torch.testing.assert_close(staged.target.vertices, BodyView.of(target, body).vertices)


def test_an_unknown_source_shows_its_whole_image(body):
    staged = stage(torch.ones(1, 3, 300, 300), None, standing((400, 700)), body)
    assert staged.source is None
    assert staged.framing.scale == pytest.approx(176 / 300)
    left, top, right, bottom = body_box(staged.target)
    assert left >= 0 and top >= 0 and right <= SIZE[1] and bottom <= SIZE[0]


def test_who_is_cut_off_at_the_waist_keeps_their_neck(body):
    portrait = standing((300, 300), down_m=1.3)
    kneeling = replace(standing(SIZE), pose=standing(SIZE).pose.clone())
    kneeling.pose[0, 0, [4, 5], 0] = pi / 2
    staged = stage(torch.zeros(1, 3, 300, 300), portrait, kneeling, body)
    assert staged.source is not None
    torch.testing.assert_close(staged.target.joints[:, NECK], staged.source.joints[:, NECK])
    bottom = staged.framing.offset_xy[1] + SIZE[0] / staged.framing.scale
    assert bottom == pytest.approx(300.0, abs=1e-2)


def motion(*arms_deg: float) -> HumanParams:
    """Somebody who lifts their arms, frame by frame."""
    return join_frames([standing(SIZE, arm_deg=arm) for arm in arms_deg])


def test_a_whole_photo_is_staged_at_its_own_place(body, generator):
    image = torch.rand(1, 3, 300, 400, generator=generator)
    staged = stage(image, standing((300, 400)), standing(SIZE), body, size=None)
    assert torch.equal(staged.image, image) and staged.unshown is None
    small = stage(image, standing((300, 400)), standing(SIZE), body, size=None, longest=200)
    assert small.image.shape == (1, 3, 150, 200)


def test_a_motion_has_one_framing_and_one_warp_for_each_frame(body, generator):
    image = torch.rand(1, 3, 200, 160, generator=generator)
    staged = stage(image, standing((200, 160)), motion(0.0, -60.0), body, size=(128, 88))
    assert len(staged.target) == 2
    torch.testing.assert_close(staged.target.intrinsics[0], staged.target.intrinsics[1])
    warps = list(staged.warps())
    assert len(warps) == 2 and not torch.equal(warps[0].body, warps[1].body)
    alone = stage(image, standing((200, 160)), motion(0.0), body, size=(128, 88))
    assert alone.framing != staged.framing  # arms at the sides take less room


@pytest.mark.parametrize("outside", ["fill", "mirror"])
def test_a_frame_wider_than_the_photo_shows_no_streaks(body, generator, outside):
    """Streaks are rows or columns that repeat; neither texture nor a mirror image has any."""
    image = torch.rand(1, 3, 120, 36, generator=generator) * 2 - 1
    source = standing((120, 36))
    staged = stage(image, source, standing(SIZE), body, size=(120, 96), outside=outside)
    beyond = staged.framing.beyond((120, 36))
    assert beyond.any() and (staged.unshown is None) == (outside == "mirror")
    assert (staged.mirrored is None) == (outside == "fill")
    warp = next(staged.warps())
    step = (warp.image[..., 1:] - warp.image[..., :-1]).abs().amax(1)[0]
    at = beyond[0, :, 1:] & beyond[0, :, :-1] & ~warp.body[0, 0, :, 1:]
    assert float((step[at] > 1e-3).float().mean()) > 0.9
    assert not (warp.background[0] & beyond).any()


def test_a_mask_of_another_image_is_refused(body):
    image, mask = torch.zeros(1, 3, *SIZE), torch.zeros(1, 1, 100, 100)
    with pytest.raises(ImageError, match=r"\(100, 100\)"):
        stage(image, standing(SIZE), standing(SIZE), body, mask=mask)


def test_a_mask_of_somebody_else_is_refused_in_every_photo(body):
    image, source = torch.zeros(1, 3, *SIZE), standing(SIZE)
    view = BodyView.of(source, body)
    mask = view.visibility.mask[:, None].float()
    stage(image, source, source, body, mask=mask, also=[SourcePhoto(image, view, mask)])
    with pytest.raises(ImageError, match="somebody else's"):
        stage(image, source, source, body, mask=1.0 - mask)
    with pytest.raises(ImageError, match="somebody else's"):
        stage(image, source, source, body, also=[SourcePhoto(image, view, 1.0 - mask)])


def test_an_unknown_source_cannot_be_warped(body):
    staged = stage(torch.ones(1, 3, 300, 300), None, standing((400, 700)), body)
    with pytest.raises(ConfigError, match="parameters or keypoints"):
        next(staged.warps())
