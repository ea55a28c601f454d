from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import posexfer_core
from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.view import BodyView
from posexfer_core.errors import KeypointsError
from posexfer_core.fit.fit import fit_keypoints, fit_people
from posexfer_core.geometry.camera import default_focal_px, project_perspective
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.keypoints.detections import load_keypoints
from posexfer_core.keypoints.joints3d import name_joints
from posexfer_core.keypoints.keypoint_placement import located
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17, MEDIAPIPE33
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.fit import joint_error_mm, limb_orders
from tests.benchmarks.random_people import FOCAL_PX, aligned_error_mm, random_person
from tests.people import facing_camera

ASTRONAUT = Path(posexfer_core.__file__).parent / "assets" / "demo" / "astronaut_keypoints.json"
JOINTS = tuple(f"{name}_joint" for name in JOINT_NAMES)


def projected_joints(body, params):
    """Project the 24 joints of the parameters' body, pixels."""
    with torch.no_grad():
        posed = body(axis_angle_to_matrix(params.pose[0]), params.betas[0], params.transl[0])
    homogeneous = posed.joints[0] @ params.intrinsics[0].T
    return (homogeneous[:, :2] / homogeneous[:, 2:]).numpy()


def test_the_diagonal_is_the_default_focal_length():
    assert default_focal_px((300, 400)) == 500.0


def test_alignment_forgives_a_similarity():
    points = np.random.default_rng(0).normal(size=(24, 3))
    assert aligned_error_mm(2.0 * points @ np.diag([1.0, -1.0, -1.0]) + 3.0, points) < 1e-9


@pytest.mark.slow
def test_random_bodies_are_found_within_50_mm(body):
    rng = np.random.default_rng(1)
    people = [random_person(rng, body, noise_px=3.0) for _ in range(12)]
    fits = [fit_keypoints(person.keypoints, body=body, focal_px=FOCAL_PX) for person in people]
    errors = [joint_error_mm(body, fit, one) for fit, one in zip(fits, people, strict=True)]
    assert np.median(errors) <= 50.0
    assert np.median([fit.reprojection_px for fit in fits]) <= 4.0


def test_the_astronaut_is_fitted_within_3_px(body):
    result = fit_keypoints(load_keypoints(ASTRONAUT, image_size=(512, 512)), body=body)
    assert result.reprojection_px <= 3.0
    params = result.params
    assert params.image_size == (512, 512)
    assert params.pose.shape == (1, 1, 24, 3)
    assert params.beta_space == body.beta_space
    assert float(params.betas.abs().max()) < 3.0


@pytest.mark.parametrize("name", ["skier_coco_wholebody.json", "skier_pose_keypoint.json"])
def test_the_skier_is_fitted_within_3_px(body, skier, name):
    result = fit_keypoints(load_keypoints(skier / name), body=body)
    assert result.reprojection_px <= 3.0
    assert result.params.image_size == (425, 640)
    assert float(result.params.betas.abs().max()) < 3.0


def test_the_reprojection_error_is_that_of_the_params(body):
    person = random_person(np.random.default_rng(2), body, names=JOINTS)
    result = fit_keypoints(person.keypoints, body=body, focal_px=FOCAL_PX)
    pixels = projected_joints(body, result.params)
    error = np.linalg.norm(pixels - person.keypoints.xy, axis=1).mean()
    assert result.reprojection_px == pytest.approx(error, abs=0.05)


def test_a_half_seen_person_is_fitted_and_the_rest_not_trusted(body):
    person = random_person(np.random.default_rng(3), body, names=COCO17).keypoints
    confidence = person.confidence.copy()
    confidence[11:] = 0.0  # from the hips down
    result = fit_keypoints(replace(person, confidence=confidence), body=body, focal_px=FOCAL_PX)
    trust = dict(zip(JOINT_NAMES, result.params.confidence[0, 0].tolist(), strict=True))
    assert result.reprojection_px < 5.0
    assert max(trust["l_ankle"], trust["r_ankle"]) < 0.3
    assert trust["l_shoulder"] > 3.0 * max(trust["l_ankle"], trust["r_ankle"])


def test_two_misplaced_keypoints_do_not_spoil_the_others(body):
    person = random_person(np.random.default_rng(4), body, names=JOINTS).keypoints
    xy = person.xy.copy()
    spoiled = [person.names.index(f"{name}_joint") for name in ("l_wrist", "r_ankle")]
    xy[spoiled] += np.array([[150.0, -120.0], [-140.0, -100.0]])
    result = fit_keypoints(replace(person, xy=xy), body=body, focal_px=FOCAL_PX)
    error = np.linalg.norm(projected_joints(body, result.params) - person.xy, axis=1)
    error = np.delete(error, spoiled)
    assert np.median(error) < 8.0


def test_the_same_keypoints_give_the_same_body(body):
    person = random_person(np.random.default_rng(5), body).keypoints
    first, second = (fit_keypoints(person, body=body, focal_px=FOCAL_PX) for _ in range(2))
    assert torch.equal(first.params.pose, second.params.pose)


def test_too_few_keypoints_on_the_body_get_a_sentence(body):
    person = random_person(np.random.default_rng(6), body, names=COCO17).keypoints
    confidence = np.where(np.arange(17) < 4, 1.0, 0.01)
    confidence[0] = 0.02
    with pytest.raises(KeypointsError, match="Only 3 keypoints of use are seen"):
        fit_keypoints(replace(person, confidence=confidence), body=body)


def test_a_crowd_is_fitted_as_each_alone(body):
    rng = np.random.default_rng(7)
    people = [random_person(rng, body, missing=share).keypoints for share in (0.0, 0.3, 0.1)]
    together = fit_people(
        [Observation(keypoints=one, focal_px=FOCAL_PX) for one in people], body=body
    )
    for one, mine in zip(people, together, strict=True):
        alone = fit_keypoints(one, body=body, focal_px=FOCAL_PX)
        shown = [projected_joints(body, fit.params) for fit in (mine, alone)]
        np.testing.assert_allclose(shown[0], shown[1], atol=2.0)


def test_3d_joints_leave_no_doubt(body):
    rng = np.random.default_rng(8)
    people = [random_person(rng, body) for _ in range(8)]
    joints = [name_joints(one.joints + 5.0) for one in people]
    sights = [
        Observation(keypoints=one.keypoints, joints=three, focal_px=FOCAL_PX)
        for one, three in zip(people, joints, strict=True)
    ]
    fits = fit_people(sights, body=body)
    errors = [joint_error_mm(body, fit, one) for fit, one in zip(fits, people, strict=True)]
    assert np.median(errors) < 12.0
    assert max(errors) < 25.0


@pytest.mark.parametrize("behind_m", [0.25, -0.25])
def test_of_mediapipe_the_arms_tell_depth_and_a_leaning_trunk_nothing(body, behind_m):
    view = BodyView.of(facing_camera((640, 480), (0.0, 0.2, 3.0), 700.0, arm_deg=40.0), body)
    names = [name for name in MEDIAPIPE33 if name]
    places = torch.cat([at for name in names if (at := located(name, view)) is not None])
    pixels = project_perspective(places[None], view.intrinsics)[0].numpy().astype(np.float64)
    world = places.numpy().astype(np.float64)
    hips = world[names.index("l_hip"), 1]
    world[:, 2] += 0.5 * np.minimum(world[:, 1] - hips, 0.0)  # the head is nearer by a foot
    for name in ("l_wrist", "r_wrist"):
        world[names.index(name), 2] += behind_m
    rows = np.zeros((33, 3))
    rows[[MEDIAPIPE33.index(name) for name in names]] = world
    keypoints = Keypoints(
        xy=pixels, confidence=np.ones(len(names)), names=tuple(names), image_size=(640, 480)
    )
    one = Observation(keypoints=keypoints, joints=name_joints(rows), focal_px=700.0)
    fitted = BodyView.of(fit_people([one], body=body)[0].params, body).joints[0]
    up = fitted[[16, 17]].mean(0) - fitted[[1, 2]].mean(0)
    assert abs(up[2] / up[1]) < 0.15
    wrists = (fitted[[20, 21], 2] - fitted[[16, 17], 2]) * np.sign(behind_m)
    assert wrists.min() > 0.04


def test_one_with_3d_joints_does_not_change_another_without(body):
    rng = np.random.default_rng(9)
    first, second = (random_person(rng, body) for _ in range(2))
    lone = Observation(keypoints=second.keypoints, focal_px=FOCAL_PX)
    spatial = Observation(
        keypoints=first.keypoints, joints=name_joints(first.joints), focal_px=FOCAL_PX
    )
    beside = fit_people([spatial, lone], body=body)[1]
    alone = fit_people([lone], body=body)[0]
    shown = [projected_joints(body, fit.params) for fit in (beside, alone)]
    np.testing.assert_allclose(shown[0], shown[1], atol=2.0)


def test_limbs_are_counted_when_their_ends_lie_apart_in_depth():
    true = np.zeros((24, 3))
    true[[20, 7], 2] = (0.4, -0.3)  # left wrist behind its shoulder, left ankle before its hip
    found = true.copy()
    found[7, 2] = 0.2
    assert limb_orders(found, true) == [True, False]
