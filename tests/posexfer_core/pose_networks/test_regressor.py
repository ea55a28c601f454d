import math

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import pixels_to_ndc, project_perspective
from posexfer_core.geometry.crop import Crop
from posexfer_core.pose_networks.regressor import params_from_output, regress_body, turn_to_ray
from posexfer_core.pose_networks.regressor_network import (
    BodyRegressor,
    BodyRegressorConfig,
    RegressorOutput,
)

SIZE = (64, 48)
SMALL = BodyRegressorConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


def upright(camera: tuple[float, float, float]) -> RegressorOutput:
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    rotations[:, 0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    return RegressorOutput(
        rotations=rotations,
        betas=torch.zeros(1, 10),
        camera=torch.tensor([camera]),
        joints_ndc=torch.zeros(1, 24, 2),
        maps=torch.zeros(1, 24, 8, 6),
        joints=torch.zeros(1, 24, 3),
    )


def test_the_pelvis_is_seen_where_the_network_says(body):
    params = params_from_output(upright((0.3, -0.2, math.log(0.5))), 0, SIZE)
    view = BodyView.of(params, body)
    seen = pixels_to_ndc(project_perspective(view.joints, view.intrinsics)[0, 0], SIZE)
    torch.testing.assert_close(seen, torch.tensor([0.3, -0.2]), rtol=0, atol=1e-4)


def test_metres_are_as_large_as_the_network_says(body):
    """Half an image's half-height per metre: 16 px of 64 rows, at the pelvis' depth."""
    params = params_from_output(upright((0.0, 0.0, math.log(0.5))), 0, SIZE)
    depth = BodyView.of(params, body).joints[0, 0, 2]
    assert float(params.intrinsics[0, 0, 0] / depth) == pytest.approx(16.0, rel=1e-4)


def test_a_crop_is_undone(body):
    """A body regressed from a crop of a larger image lands where the crop lay."""
    crop = Crop(offset_xy=(100.0, 50.0), scale=0.5, size=SIZE)
    params = params_from_output(
        upright((0.3, -0.2, math.log(0.5))), 0, (300, 400), crop=crop, body=body
    )
    view = BodyView.of(params, body)
    pixels = project_perspective(view.joints, view.intrinsics)[0, 0]
    wanted = torch.tensor([100.0 + 2.0 * 24.0 * 1.3, 50.0 + 2.0 * 32.0 * 0.8])
    torch.testing.assert_close(pixels, wanted, rtol=0, atol=1e-2)
    assert float(params.intrinsics[0, 0, 0] / view.joints[0, 0, 2]) == pytest.approx(32.0, rel=1e-3)


def test_the_turn_takes_straight_ahead_to_the_ray():
    ray = torch.tensor([0.4, -0.3])
    turn = turn_to_ray(ray)
    ahead = turn @ torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(ahead[:2] / ahead[2], ray)
    torch.testing.assert_close(turn @ turn.mT, torch.eye(3))
    assert float(torch.linalg.det(turn)) == pytest.approx(1.0, abs=1e-6)


def test_an_image_of_any_size_gives_one_person_before_its_camera(body, generator):
    image = torch.rand(3, 90, 200, generator=generator) * 2.0 - 1.0
    prediction = regress_body(image, network=BodyRegressor(SMALL).eval(), body=body, focal_px=300.0)
    params = prediction.params
    assert params.image_size == (90, 200)
    assert float(params.intrinsics[0, 0, 0]) == 300.0
    assert params.pose.shape == (1, 1, 24, 3)
    assert prediction.joints_px.shape == (24, 2)


def test_another_body_gets_its_mean_shape():
    other = BodyModel.bundled()
    other.beta_space = "smpl"
    found = upright((0.0, 0.0, -0.5))
    found.betas.fill_(1.0)
    params = params_from_output(found, 0, SIZE, body=other)
    assert params.beta_space == "smpl" and not params.betas.any()
