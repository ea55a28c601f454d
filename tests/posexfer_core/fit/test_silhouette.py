from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ImageError
from posexfer_core.fit.fit import FitTask, fit_people
from posexfer_core.fit.kinematics import Pose
from posexfer_core.fit.silhouette import fit_silhouettes
from posexfer_core.fit.video.fit_motion import fit_motion
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17
from posexfer_core.keypoints.masks import check_mask
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.fit import fitted_joints
from tests.benchmarks.random_motions import random_motion
from tests.benchmarks.random_people import FOCAL_PX, person_mask, random_person
from tests.benchmarks.silhouette import shape_error_mm, spoilt_mask, widening

PEOPLE = 6


@pytest.fixture(scope="module")
def people(body):
    rng = np.random.default_rng(5)
    return [random_person(rng, body, noise_px=0.0) for _ in range(PEOPLE)]


@pytest.fixture(scope="module")
def masks(people, body):
    return [person_mask(person, body) for person in people]


def sight_of(person, mask=None):
    return Observation(keypoints=person.keypoints, focal_px=FOCAL_PX, mask=mask)


@pytest.fixture(scope="module")
def task(people, body):
    return FitTask.of([sight_of(person) for person in people], body)


@pytest.fixture(scope="module")
def posed(people):
    """Pose the people rightly, with the betas of nobody."""
    stacked = (np.stack([getattr(one, name) for one in people]) for name in ("rotations", "transl"))
    rotations, transl = stacked
    return Pose(rotations, np.zeros((PEOPLE, 10)), transl)


def shape_errors(body, betas, people):
    pairs = zip(betas, people, strict=True)
    return np.array([shape_error_mm(body, mine, person.betas) for mine, person in pairs])


@pytest.mark.slow
def test_true_masks_of_people_posed_rightly_tell_their_shapes(posed, task, masks, people, body):
    before = shape_errors(body, posed.betas, people)
    after = shape_errors(body, fit_silhouettes(posed, task.energy, masks, body).betas, people)
    assert after.mean() < 0.4 * before.mean()
    assert after.max() < 9.0


@pytest.mark.slow
def test_wide_and_torn_masks_still_help(posed, task, masks, people, body):
    rng = np.random.default_rng(0)
    spoilt = [spoilt_mask(mask, rng) for mask in masks]
    before = shape_errors(body, posed.betas, people)
    after = shape_errors(body, fit_silhouettes(posed, task.energy, spoilt, body).betas, people)
    assert after.mean() < 0.75 * before.mean()


def test_only_shape_and_distance_change_and_only_where_there_is_a_mask(posed, task, masks, body):
    some = [masks[0], *[None] * (PEOPLE - 1)]
    found = fit_silhouettes(posed, task.energy, some, body)
    assert np.array_equal(found.rotations, posed.rotations)
    assert np.array_equal(found.betas[1:], posed.betas[1:])
    assert np.array_equal(found.transl[1:], posed.transl[1:])
    pelvis = [task.energy.skeleton.place(each).joints[0, 0] for each in (posed, found)]
    assert np.linalg.norm(np.cross(*pelvis)) < 1e-9
    assert np.abs(found.betas[0]).max() > 0.1


def test_a_fit_with_a_mask_keeps_its_keypoints(people, masks, body):
    people, masks = people[:3], masks[:3]
    bare = fit_people([sight_of(person) for person in people], body=body)
    shaped = fit_people(
        [sight_of(person, mask) for person, mask in zip(people, masks, strict=True)], body=body
    )
    errors = [
        shape_errors(body, [one.params.betas[0, 0].double().numpy() for one in fits], people)
        for fits in (bare, shaped)
    ]
    assert errors[1].mean() < errors[0].mean()
    assert np.mean([one.reprojection_px for one in shaped]) < 2.0
    for one, other in zip(bare, shaped, strict=True):
        assert torch.equal(one.params.pose, other.params.pose)
        shown = [fitted_joints(body, fit) for fit in (one, other)]
        pixels = [FOCAL_PX * joints[:, :2] / joints[:, 2:] for joints in shown]
        assert np.abs(pixels[0] - pixels[1]).max() < 12.0


@pytest.mark.slow
def test_frames_of_one_person_share_what_their_masks_tell(body):
    before, after = [], []
    for seed in (3, 5):
        motion = random_motion(np.random.default_rng(seed), body, poses=2)
        true = motion.params.betas[0, 0].double().numpy() + 2.5 * widening(body)
        params = replace(
            motion.params, betas=torch.from_numpy(true).float().expand_as(motion.params.betas)
        )
        views = BodyView.of(params, body, frame=None)
        sights = [Observation(keypoints=one, focal_px=FOCAL_PX) for one in motion.keypoints][:8]
        bare = fit_motion(sights, body=body)
        shaped = fit_motion(
            [
                replace(one, mask=views.visibility.mask[frame].numpy() if frame < 5 else None)
                for frame, one in enumerate(sights)
            ],
            body=body,
        )
        betas = torch.cat([one.params.betas[0] for one in shaped])
        assert torch.equal(betas, betas[:1].expand_as(betas))
        for fits, errors in ((bare, before), (shaped, after)):
            shape = fits[0].params.betas[0, 0].double().numpy()
            errors.append(shape_error_mm(body, shape, true))
    assert np.mean(after) < 0.6 * np.mean(before)


def test_a_mask_of_somebody_else_gets_a_sentence(people, masks, body):
    elsewhere = np.roll(masks[0], 600, axis=1)
    with pytest.raises(ImageError, match="somebody else's"):
        fit_people([sight_of(people[0], elsewhere)], body=body)
    with pytest.raises(ImageError, match="exchanged"):
        fit_people([sight_of(people[0], ~masks[0])], body=body)
    frames = [sight_of(people[0], mask) for mask in (masks[0], elsewhere)]
    with pytest.raises(ImageError, match=r"Frame 1: .*somebody else's"):
        fit_motion(frames, body=body)


@pytest.mark.slow
def test_one_bad_mask_does_not_stop_a_video(people, masks, body, caplog):
    elsewhere = np.roll(masks[0], 600, axis=1)
    bad, none = (
        fit_motion([sight_of(people[0], mask) for mask in (masks[0], each, masks[0])], body=body)
        for each in (elsewhere, None)
    )
    assert "Frame 1: " in caplog.text and "left out" in caplog.text
    torch.testing.assert_close(bad[0].params.betas, none[0].params.betas)


def test_masks_that_cannot_be_used_get_a_sentence():
    with pytest.raises(ImageError, match=r"shape \(8, 9\), the image is 8x8"):
        check_mask(np.ones((8, 9)), (8, 8))
    with pytest.raises(ImageError, match="empty"):
        check_mask(np.full((8, 8), 0.4), (8, 8))
    with pytest.raises(ImageError, match="full"):
        check_mask(np.ones((8, 8), bool), (8, 8))
    with pytest.raises(ImageError, match="empty"):
        check_mask(np.full((8, 8), np.nan), (8, 8))
    half = np.linspace(0.0, 1.0, 64).reshape(8, 8)
    assert np.array_equal(check_mask(half, (8, 8)), half > 0.5)


def test_people_far_away_are_as_well_shaped_as_near_ones(people, body):
    """A sixth of the image's side: the mask is looked at where the person is."""
    far = replace(people[1], transl=people[1].transl * np.array([1.0, 1.0, 4.0]))
    moved = far.joints + far.transl - people[1].transl
    sizes = []
    for person, joints in ((people[1], people[1].joints), (far, moved)):
        names = tuple(f"{name}_joint" for name in JOINT_NAMES)
        keypoints = Keypoints(
            xy=FOCAL_PX * joints[:, :2] / joints[:, 2:] + 512.0,
            confidence=np.ones(24),
            names=names,
            image_size=(1024, 1024),
        )
        task = FitTask.of([Observation(keypoints=keypoints, focal_px=FOCAL_PX)], body)
        pose = Pose(person.rotations[None], np.zeros((1, 10)), person.transl[None])
        found = fit_silhouettes(pose, task.energy, [person_mask(person, body)], body)
        sizes.append(shape_errors(body, found.betas, [person])[0])
    near, away = sizes
    assert away < near + 2.0


def test_a_person_of_a_few_pixels_is_no_error(body):
    rng = np.random.default_rng(0)
    keypoints = Keypoints(
        xy=100.0 + 3.0 * rng.random((17, 2)),
        confidence=np.ones(17),
        names=COCO17,
        image_size=(200, 200),
    )
    dot = np.zeros((200, 200), bool)
    dot[99:105, 99:105] = True
    result = fit_people([Observation(keypoints=keypoints, mask=dot)], body=body)[0]
    assert torch.isfinite(result.params.betas).all()
