import math

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import pixels_to_ndc, project_perspective
from posexfer_core.pose_networks.regress_network import RegressConfig, Regressed, RegressNetwork
from posexfer_core.pose_networks.regressor import (
    Look,
    place_body,
    regress_body,
    regressed_params,
    turn_to_ray,
)

SIZE = (64, 48)
SMALL = RegressConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


def upright(camera: tuple[float, float, float]) -> Regressed:
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    rotations[:, 0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    return Regressed(
        rotations=rotations,
        betas=torch.zeros(1, 10),
        camera=torch.tensor([camera]),
        pixels=torch.zeros(1, 24, 2),
        maps=torch.zeros(1, 24, 8, 6),
        places=torch.zeros(1, 24, 3),
    )


def test_the_pelvis_is_seen_where_the_network_says(body):
    params = regressed_params(upright((0.3, -0.2, math.log(0.5))), 0, SIZE)
    view = BodyView.of(params, body)
    seen = pixels_to_ndc(project_perspective(view.joints, view.intrinsics)[0, 0], SIZE)
    torch.testing.assert_close(seen, torch.tensor([0.3, -0.2]), rtol=0, atol=1e-4)


def test_metres_are_as_large_as_the_network_says(body):
    """Half an image's half-height per metre: 16 px of 64 rows, at the pelvis' depth."""
    params = regressed_params(upright((0.0, 0.0, math.log(0.5))), 0, SIZE)
    depth = BodyView.of(params, body).joints[0, 0, 2]
    assert float(params.intrinsics[0, 0, 0] / depth) == pytest.approx(16.0, rel=1e-4)


def test_a_look_undoes_its_cut(body):
    """The same body, looked at through a cut of a larger image, lands where the cut lay."""
    look = Look(offset_xy=(100.0, 50.0), scale=0.5, size=SIZE)
    params = place_body(upright((0.3, -0.2, math.log(0.5))), 0, look, (300, 400), body=body)
    view = BodyView.of(params, body)
    pixels = project_perspective(view.joints, view.intrinsics)[0, 0]
    wanted = torch.tensor([100.0 + 2.0 * 24.0 * 1.3, 50.0 + 2.0 * 32.0 * 0.8])
    torch.testing.assert_close(pixels, wanted, rtol=0, atol=1e-2)
    assert float(params.intrinsics[0, 0, 0] / view.joints[0, 0, 2]) == pytest.approx(32.0, rel=1e-3)


def test_a_look_at_a_box_holds_it_centred():
    look = Look.at(torch.tensor([10.0, 20.0]), torch.tensor([30.0, 100.0]), SIZE, 0.8)
    assert look.scale == pytest.approx(0.8 * 64.0 / 80.0)
    middle = look.to_image(torch.zeros(2))
    torch.testing.assert_close(middle, torch.tensor([20.0, 60.0]))


def test_the_turn_takes_straight_ahead_to_the_ray():
    ray = torch.tensor([0.4, -0.3])
    turn = turn_to_ray(ray)
    ahead = turn @ torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(ahead[:2] / ahead[2], ray)
    torch.testing.assert_close(turn @ turn.mT, torch.eye(3))
    assert float(torch.linalg.det(turn)) == pytest.approx(1.0, abs=1e-6)


def test_a_image_of_any_size_gives_one_person_before_its_camera(body, generator):
    image = torch.rand(3, 90, 200, generator=generator) * 2.0 - 1.0
    reading = regress_body(image, network=RegressNetwork(SMALL).eval(), body=body, focal_px=300.0)
    params = reading.params
    assert params.image_size == (90, 200)
    assert float(params.intrinsics[0, 0, 0]) == 300.0
    assert params.pose.shape == (1, 1, 24, 3)
    assert reading.joints_px.shape == (24, 2)


def test_another_body_gets_its_mean_shape():
    other = BodyModel.bundled()
    other.beta_space = "smpl"
    found = upright((0.0, 0.0, -0.5))
    found.betas.fill_(1.0)
    look = Look(offset_xy=(0.0, 0.0), scale=1.0, size=SIZE)
    params = place_body(found, 0, look, SIZE, body=other)
    assert params.beta_space == "smpl" and not params.betas.any()
