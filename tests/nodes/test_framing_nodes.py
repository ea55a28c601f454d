"""Cuts around a person, results pasted back, detail restored."""

from dataclasses import replace

import pytest
import torch

from posexfer_core.warp.filters import dilate
from tests.nodes.test_warp_nodes import painted, photo, poses  # noqa: F401


@pytest.fixture
def picture(generator):
    return torch.rand(1, 60, 48, 3, generator=generator)


@pytest.fixture
def cut(pack):
    """A cut of 32x24 pixels at twice the size, from (5, 7)."""
    framing = pack.module("posexfer_core.transfer.framing").Framing
    return framing(offset_xy=(5.0, 7.0), scale=2.0, size=(64, 48))


def test_a_frame_holds_photo_mask_and_both_bodies_alike(pack, painted, poses):  # noqa: F811
    image, body, mask = painted
    framed, source, target, cut_mask, padding, framing, others = pack.run(
        "FramePose", image=image, source_body=body, target_body=poses["arms_raised"], mask=mask,
        width=128, height=192,
    )  # fmt: skip
    assert others is None
    assert framed.shape == (1, 192, 128, 3) and cut_mask.shape == padding.shape == (1, 192, 128)
    assert source.params.image_size == target.params.image_size == (192, 128)
    seen = source.view().visibility.mask.float()
    inside = (seen * cut_mask).sum() / seen.sum()
    assert float(inside) > 0.98
    assert target.view().visibility.mask.any()
    expected = framing.apply(2.0 * image.movedim(-1, 1) - 1.0).movedim(1, -1) / 2 + 0.5
    torch.testing.assert_close(framed, expected, atol=1e-5, rtol=0.0)


def test_frames_of_a_sequence_share_one_cut(pack, painted, poses):  # noqa: F811
    image, body, _ = painted
    out = pack.run(
        "FramePose", image=image, source_body=body, target_body=poses["sequence"],
        width=128, height=192,
    )  # fmt: skip
    assert out[3] is None, "no mask, and nodes after this one take none"
    assert out[2].params.frames == 2
    assert torch.equal(out[2].params.intrinsics[0], out[2].params.intrinsics[1])
    assert torch.equal(out[2].params.intrinsics[0], out[1].params.intrinsics[0])


def test_what_lies_beyond_the_photo_is_mirrored_and_told(pack, painted, poses):  # noqa: F811
    image, body, mask = painted
    narrow = slice(40, 136)
    close = replace(
        body,
        params=body.params.with_camera(
            body.params.intrinsics - torch.tensor([[[0, 0, 40.0], [0, 0, 0], [0, 0, 0]]]),
            (256, 96),
        ),
    )
    framed, source, target, cut_mask, padding, *_ = pack.run(
        "FramePose", image=image[:, :, narrow], source_body=close, mask=mask[..., narrow],
        target_body=poses["arm_in_front"], width=256, height=256,
    )  # fmt: skip
    beyond = padding[0] > 0.5
    assert 0.1 < float(beyond.float().mean()) < 0.9
    assert float(cut_mask[0][beyond].max()) == 0.0
    columns = framed[0, :, beyond.all(0)]
    assert float(columns.std(1).mean()) > 0.005, "streaks"
    warped = pack.run(
        "WarpToPose", image=framed, source_body=source, target_body=target, mask=cut_mask,
        padding=padding, grow=0,
    )  # fmt: skip
    assert bool((warped[1][0][beyond & (warped[2][0] < 0.5)] == 1.0).all())


def test_sides_that_latents_cannot_have_are_refused_with_the_nearest(pack, painted, poses):  # noqa: F811
    errors = pack.module("posexfer_core.errors")
    image, body, _ = painted
    with pytest.raises(errors.ConfigError, match=r"width is 177 pixels.*take 176"):
        pack.run(
            "FramePose", image=image, source_body=body, target_body=poses["walking"],
            width=177, height=256,
        )  # fmt: skip


def test_everything_outside_the_mask_stays_bit_for_bit(pack, picture, cut, generator):
    result = torch.rand(2, 64, 48, 3, generator=generator)
    mask = torch.zeros(1, 64, 48)
    mask[:, 16:48, 12:36] = 1.0
    (pasted,) = pack.run(
        "PasteBack", image=result, original=picture, framing=cut, mask=mask, feather=0
    )
    changed = (pasted != picture).any(-1)
    expected = torch.zeros(60, 48, dtype=torch.bool)
    expected[7 + 8 : 7 + 24, 5 + 6 : 5 + 18] = True
    assert torch.equal(changed, expected.expand(2, -1, -1))
    (soft,) = pack.run(
        "PasteBack", image=result, original=picture, framing=cut, mask=mask, feather=4
    )
    outside = ~expected.expand(2, -1, -1)
    assert torch.equal(soft[outside], picture.expand(2, -1, -1, -1)[outside])
    centre = (..., slice(20, 24), slice(15, 19), slice(None))
    torch.testing.assert_close(soft[centre], pasted[centre], atol=1e-3, rtol=0.0)


def test_a_cut_without_a_mask_is_pasted_with_a_soft_border(pack, picture, cut):
    white = torch.ones(1, 64, 48, 3)
    (pasted,) = pack.run("PasteBack", image=white, original=picture, framing=cut)
    outside = torch.ones(60, 48, dtype=torch.bool)
    outside[7:39, 5:29] = False
    assert torch.equal(pasted[0][outside], picture[0][outside])
    assert float(pasted[0, 20:28, 14:20].min()) == 1.0


def test_a_result_of_the_photos_size_needs_no_framing(pack, picture):
    mask = torch.zeros(60, 48)
    mask[10:20] = 1.0
    (pasted,) = pack.run("PasteBack", image=1.0 - picture, original=picture, mask=mask, feather=0)
    assert torch.equal(pasted[0, 20:], picture[0, 20:])
    torch.testing.assert_close(pasted[0, 10:20], 1.0 - picture[0, 10:20])


def test_an_enlarged_result_is_pasted_at_the_photos_resolution(pack, picture, cut):
    grey = torch.full((1, 128, 96, 3), 0.5)
    mask = torch.ones(1, 64, 48)
    (pasted,) = pack.run(
        "PasteBack", image=grey, original=picture, framing=cut, mask=mask, feather=0
    )
    torch.testing.assert_close(pasted[0, 8:38, 6:28], torch.full((30, 22, 3), 0.5))
    assert torch.equal(pasted[0, 40:], picture[0, 40:])


def test_a_result_that_does_not_fit_is_told(pack, picture, cut):
    errors = pack.module("posexfer_core.errors")
    for words, given in (
        ("were cut out", {"image": torch.rand(1, 64, 56, 3)}),
        ("'mask' has shape", {"image": torch.rand(1, 64, 48, 3), "mask": torch.ones(1, 64, 64)}),
        (
            "2 originals",
            {"image": torch.rand(3, 64, 48, 3), "original": picture.repeat(2, 1, 1, 1)},
        ),
        ("'image' has shape", {"image": torch.rand(1, 64, 48, 2)}),
    ):
        with pytest.raises(errors.ImageError, match=words):
            pack.run("PasteBack", **{"original": picture, "framing": cut, **given})


def test_transparency_is_laid_on_white(pack, picture, cut):
    drawn, opacity = torch.rand(1, 64, 48, 3), torch.rand(1, 64, 48, 1)
    on_white = drawn * opacity + (1.0 - opacity)
    given = {"original": picture, "framing": cut}
    (expected,) = pack.run("PasteBack", image=on_white, **given)
    (pasted,) = pack.run("PasteBack", image=torch.cat([drawn, opacity], -1), **given)
    torch.testing.assert_close(pasted, expected)


def test_detail_comes_back_where_pixels_are_real(pack, painted, poses):  # noqa: F811
    image, body, mask = painted
    warped, inpaint, visible, background, body_mask, *_ = pack.run(
        "WarpToPose", image=image, source_body=body, target_body=poses["walking"], mask=mask
    )
    filters = pack.module("posexfer_core.warp.filters")
    dull = filters.gaussian_blur(warped.movedim(-1, 1), 1.5).movedim(1, -1)
    given = {
        "warped": warped, "visible": visible, "background": background, "body_mask": body_mask,
    }  # fmt: skip
    (restored,) = pack.run("RestoreDetail", image=dull, **given)
    real = ~dilate(visible + background < 0.5, 3)
    errors = [float((one - warped)[real].abs().mean()) for one in (dull, restored)]
    assert errors[1] < 0.5 * errors[0]
    painted_anew = (inpaint > 0.5) & ~dilate(body_mask > 0.5, 12) & ~dilate(background > 0.5, 2)
    assert painted_anew.any()
    torch.testing.assert_close(restored[painted_anew], dull[painted_anew], atol=1e-3, rtol=0.0)
    told = pack.module("posexfer_core.errors").ImageError
    with pytest.raises(told, match="Restore before anything is resized"):
        pack.run("RestoreDetail", image=dull[:, :-8], **given)
    with pytest.raises(told, match="connect the masks"):
        pack.run("RestoreDetail", image=dull, **{**given, "visible": visible[:, :-1]})
