"""Estimate Human Params, executed by the host's rules."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.render.openpose import keypoints18
from tests.benchmarks.random_people import aligned_error_mm, random_person
from tests.nodes.small_files import SIZE, standing_params
from tests.posexfer_core.formats.test_fitted import sam_person


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, *SIZE, 3, generator=torch.Generator().manual_seed(1))


def test_pose_data_of_sam_3d_body_becomes_a_body(pack, image):
    body = BodyModel.bundled()
    person = random_person(np.random.default_rng(0), body)
    scale = {"image_size": image.shape[1:3], "frames": [[sam_person(person, body)]]}
    found, overlay = pack.run("EstimateHumanParams", image=image, pose_data=scale)
    assert overlay.shape == image.shape
    joints = BodyView.of(as_ours(found.params), body).joints[0].double().numpy()
    assert aligned_error_mm(joints, person.joints) < 15.0

    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.KeypointsError, match="Frame 0: person 3 was asked for"):
        pack.run("EstimateHumanParams", image=image, pose_data=scale, person=3)


def test_keypoints_become_a_body(pack, image):
    view = BodyView.of(standing_params(), BodyModel.bundled())
    flat = keypoints18(view)[0].clone()
    flat[:, 2] = 1.0
    frame = {
        "people": [{"pose_keypoints_2d": flat.flatten().tolist()}],
        "canvas_height": SIZE[0],
        "canvas_width": SIZE[1],
    }
    body, overlay = pack.run("EstimateHumanParams", image=image, keypoints=[frame])
    assert overlay.shape == image.shape
    found = keypoints18(BodyView.of(as_ours(body.params), BodyModel.bundled()))[0]
    assert float((found - flat)[:, :2].norm(dim=1).mean()) < 3.0

    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.KeypointsError, match="Frame 0"):
        pack.run("EstimateHumanParams", image=image, keypoints=[{**frame, "people": []}])
    with pytest.raises(errors.KeypointsError, match="1 frames of images, 2 frames of keypoints"):
        pack.run("EstimateHumanParams", image=image, keypoints=[frame, frame])


def test_a_mask_shapes_a_body_and_one_that_is_no_good_gets_a_sentence(pack, image):
    view = BodyView.of(standing_params(), BodyModel.bundled())
    flat = keypoints18(view)[0].clone()
    flat[:, 2] = 1.0
    frames = [{"people": [{"pose_keypoints_2d": flat.flatten().tolist()}]}]
    given = {"image": image, "keypoints": frames}
    bare, _ = pack.run("EstimateHumanParams", **given)
    mask = view.visibility.mask.float()
    wide = F.max_pool2d(mask[None], 9, stride=1, padding=4)[0]
    shaped, _ = pack.run("EstimateHumanParams", **given, mask=wide)
    assert torch.equal(bare.params.pose, shaped.params.pose)
    views = [BodyView.of(as_ours(one.params), BodyModel.bundled()) for one in (bare, shaped)]
    seen = [float(one.visibility.mask.sum()) for one in views]
    assert seen[1] > seen[0]

    errors = pack.module("posexfer_core.errors")
    for sentence, wrong in (
        ("must be alike", mask[:, :64]),
        ("empty", torch.zeros_like(mask)),
        ("exchanged", 1.0 - mask),
    ):
        with pytest.raises(errors.ImageError, match=sentence):
            pack.run("EstimateHumanParams", **given, mask=wrong)
    with pytest.raises(errors.KeypointsError, match="2 frames of masks"):
        pack.run("EstimateHumanParams", **given, mask=mask.repeat(2, 1, 1))
    with pytest.raises(errors.KeypointsError, match="no keypoints"):
        pack.run("EstimateHumanParams", image=image, mask=mask)


def test_a_batch_of_keypoints_is_smoothed_as_a_video_unless_told_otherwise(pack, image):
    flat = keypoints18(BodyView.of(standing_params(), BodyModel.bundled()))[0].clone()
    flat[:, 2] = 1.0
    generator = torch.Generator().manual_seed(0)
    frames = []
    for _ in range(6):
        noisy = flat.clone()
        noisy[:, :2] += torch.randn(18, 2, generator=generator)
        frames.append({"people": [{"pose_keypoints_2d": noisy.flatten().tolist()}]})
    frames[3] = {"people": []}  # the detector lost the person
    batch = image[:1].repeat(6, 1, 1, 1)
    body, overlay = pack.run("EstimateHumanParams", image=batch, keypoints=frames)
    assert overlay.shape == batch.shape
    assert body.params.confidence[3].max() == 0.0
    assert torch.equal(body.params.betas[0], body.params.betas[5])

    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.KeypointsError, match="Frame 3: no person is found in the keypoints"):
        pack.run("EstimateHumanParams", image=batch, keypoints=frames, smoothing=0.0)
    del frames[3]
    bystander = {"pose_keypoints_2d": (flat * torch.tensor([0.4, 0.4, 1.0])).flatten().tolist()}
    frames[2]["people"].insert(0, bystander)
    followed, _ = pack.run("EstimateHumanParams", image=batch[:5], keypoints=frames)
    moved = (followed.params.transl[2] - followed.params.transl[1]).norm()
    assert moved < 0.1, "the person is not followed when its number changes"
    del frames[2]["people"][0]
    alone, _ = pack.run("EstimateHumanParams", image=batch[:5], keypoints=frames, smoothing=0.0)
    assert not torch.equal(alone.params.betas[0], alone.params.betas[4])


def test_a_body_is_read_off_each_image_without_keypoints(pack, image):
    body, overlay = pack.run("EstimateHumanParams", image=image.repeat(2, 1, 1, 1))
    assert overlay.shape[0] == 2 and body.params.frames == 2
    assert body.params.image_size == tuple(image.shape[1:3])
    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.KeypointsError, match="must show one person"):
        pack.run("EstimateHumanParams", image=image, person=1)


def as_ours(params):
    """Copy parameters from the pack's copy of the core."""
    names = ("pose", "betas", "transl", "intrinsics", "image_size")
    return HumanParams(**{name: getattr(params, name) for name in names})
