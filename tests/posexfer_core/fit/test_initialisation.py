from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.fit.fit import fit_keypoints
from posexfer_core.fit.initialisation import pose_from_params
from posexfer_core.fit.search import SearchPlan
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from tests.benchmarks.fit import joint_error_mm
from tests.benchmarks.random_people import FOCAL_PX, IMAGE_PX, Person, random_person


def truth(person: Person) -> HumanParams:
    rotations = torch.tensor(person.rotations).float()
    return HumanParams.single(
        pose=matrix_to_axis_angle(rotations),
        betas=torch.tensor(person.betas).float(),
        transl=torch.tensor([0.0, 0.3, 3.5]),
        intrinsics=intrinsics_matrix(FOCAL_PX, (IMAGE_PX, IMAGE_PX)),
        image_size=(IMAGE_PX, IMAGE_PX),
    )


def test_a_pose_from_params_stands_where_its_camera_sees_it(body):
    params = truth(random_person(np.random.default_rng(0), body))
    turned = torch.eye(4)
    turned[:3, :3] = axis_angle_to_matrix(torch.tensor([0.3, -0.2, 0.1]))
    turned[:3, 3] = torch.tensor([0.1, 0.2, 0.3])
    pose = pose_from_params(replace(params, camera_from_world=turned[None]), body)
    joints = body(params.rotations[0], params.betas[0], params.transl[0]).joints[0]
    wanted = joints @ turned[:3, :3].T + turned[:3, 3]
    arrays = (pose.rotations, pose.betas, pose.transl)
    found = body(*(torch.tensor(array).float() for array in arrays)).joints[0]
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)


def test_betas_of_another_body_are_left_out(body):
    params = truth(random_person(np.random.default_rng(0), body))
    assert not pose_from_params(replace(params, beta_space="smpl"), body).betas.any()
    assert pose_from_params(params, body).betas.any()


def test_the_true_pose_alone_is_a_good_start(body):
    rng = np.random.default_rng(3)
    people = [random_person(rng, body, noise_px=1.0) for _ in range(4)]
    errors = []
    for person in people:
        fit = fit_keypoints(
            person.keypoints,
            body=body,
            focal_px=FOCAL_PX,
            plan=SearchPlan(yaws=0, flip_limbs=False),
            start=truth(person),
        )
        errors.append(joint_error_mm(body, fit, person))
    assert np.mean(errors) < 40.0


def test_an_initial_pose_competes_with_those_of_the_search(body):
    """A distant initial pose changes nothing, the true one does not make the fit worse."""
    person = random_person(np.random.default_rng(3), body)
    plan = SearchPlan(flip_limbs=False)
    absurd = replace(truth(person), pose=torch.ones(1, 1, 24, 3))
    without, started, misled = (
        fit_keypoints(person.keypoints, body=body, focal_px=FOCAL_PX, plan=plan, start=start)
        for start in (None, truth(person), absurd)
    )
    errors = [joint_error_mm(body, fit, person) for fit in (without, started, misled)]
    assert errors[1] < errors[0] + 5.0
    assert errors[2] == pytest.approx(errors[0], abs=0.5)
