import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from posexfer_core.body.joints import MIRRORED_JOINTS
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.files.images import from_pil
from posexfer_core.geometry.camera import project_perspective
from training.data.photo_samples import RandomView, Shot, cut_person, cut_whole, flipped

SIZE = (110, 75)


@pytest.fixture
def shot(generator) -> Shot:
    """Somebody bent and turned, of no symmetry, before noise."""
    pose = 0.3 * torch.randn(24, 3, generator=generator)
    pose[0] = torch.tensor([math.pi, 0.2, 0.1])
    params = HumanParams.single(
        pose=pose,
        betas=torch.randn(10, generator=generator),
        transl=torch.tensor([0.1, 0.2, 3.0]),
        intrinsics=torch.tensor([[120.0, 0, 36.0], [0, 120.0, 56.0], [0, 0, 1]]),
        image_size=SIZE,
    )
    levels = torch.randint(0, 256, (*SIZE, 3), generator=generator, dtype=torch.uint8)
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 20:90, 10:50] = 1.0
    return Shot(image=from_pil(Image.fromarray(levels.numpy())), params=params, mask=mask)


def joints_px(shot: Shot, body) -> torch.Tensor:
    view = BodyView.of(shot.params, body)
    return project_perspective(view.joints, view.intrinsics)[0]


def test_a_whole_picture_is_pillows_and_its_camera_is_stretched_alike(shot, body):
    cut = cut_whole(shot, (64, 48), RandomView())
    levels = ((shot.image[0].permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8).numpy()
    wanted = Image.fromarray(levels).resize((48, 64), Image.Resampling.BICUBIC)
    assert torch.equal(cut.image, from_pil(wanted))
    factors = torch.tensor([48 / 75, 64 / 110])
    torch.testing.assert_close(joints_px(cut, body), joints_px(shot, body) * factors)
    assert cut.mask is not None and cut.mask.shape == (1, 1, 64, 48)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "person"])
def test_one_random_crop_moves_picture_mask_and_body_alike(shot, body, whole):
    """A blob where a joint is, in picture and mask, stays where the joint is."""
    place = joints_px(shot, body)[15]  # the head
    y, x = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    blob = torch.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 18.0)[None, None]
    shot = replace(shot, image=blob.expand(1, 3, -1, -1) * 2 - 1, mask=blob)
    view = RandomView(zoom=1.25, place=(0.4, 0.1), mirrored=True)
    size = (128, 96)
    cut = cut_whole(shot, size, view) if whole else cut_person(shot, size, view, body)
    other = flipped(cut)
    for one, joint in ((cut, 15), (other, MIRRORED_JOINTS[15])):
        expected = joints_px(one, body)[joint]
        assert one.mask is not None
        for values in ((one.image[0, :1] + 1) / 2, one.mask[0]):
            weight = values[0].clamp(min=0.0).square()
            rows, columns = (torch.arange(length) + 0.5 for length in size)
            found = (
                torch.stack([(weight.sum(0) * columns).sum(), (weight.sum(1) * rows).sum()])
                / weight.sum()
            )
            torch.testing.assert_close(found, expected, atol=0.5, rtol=0)


def test_mirrored_limbs_are_the_other_sides(shot, body):
    other = flipped(shot)
    expected = joints_px(shot, body)[MIRRORED_JOINTS.tolist()]
    expected[:, 0] = SIZE[1] - expected[:, 0]
    torch.testing.assert_close(joints_px(other, body), expected, atol=0.05, rtol=0)
    twice = flipped(other)
    assert torch.equal(twice.image, shot.image)
    torch.testing.assert_close(twice.params.pose, shot.params.pose)


def test_crops_are_drawn_up_to_what_was_asked_for():
    rng = np.random.default_rng(3)
    views = [RandomView.draw(rng, crop=0.2, flip=0.5) for _ in range(200)]
    assert min(v.zoom for v in views) >= 1.0 and 1.2 < max(v.zoom for v in views) <= 1.25
    assert 70 < sum(v.mirrored for v in views) < 130
    assert RandomView.draw(rng, crop=0.0, flip=0.0).zoom == 1.0
