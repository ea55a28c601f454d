import pytest
import torch

from posexfer_core.body.view import BodyView
from posexfer_core.conventions import DEMO
from posexfer_core.files.images import load_image
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.pose_networks.find_body import FoundBody, find_body
from posexfer_core.pose_networks.regressor import Prediction
from posexfer_core.pose_networks.regressor_network import BodyRegressor, BodyRegressorConfig

SMALL = BodyRegressorConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


def in_a_corner(share: float) -> torch.Tensor:
    """The demo's person, shrunk, at the right of a wide grey image."""
    person = load_image(DEMO / "source.png")
    size = [round(share * side) for side in person.shape[-2:]]
    small = torch.nn.functional.interpolate(person, size=size, mode="area")
    image = torch.zeros(3, person.shape[-2], 3 * person.shape[-1])
    image[:, -size[0] :, -size[1] :] = small[0]
    return image


@pytest.mark.slow
@pytest.mark.weights
def test_a_small_person_beside_the_middle_is_found(body):
    image = in_a_corner(0.6)
    found = find_body(image, body=body)
    assert found.reliable and found.windows >= 2
    joints = found.prediction.joints_px
    low, high = joints.amin(0), joints.amax(0)
    assert low[0] > 2.0 * image.shape[-1] / 3.0 and low[1] > 0.3 * image.shape[-2]
    assert 0.35 * image.shape[-2] < float(high[1] - low[1]) < 0.65 * image.shape[-2]
    view = BodyView.of(found.prediction.params, body)
    shown = project_perspective(view.joints, view.intrinsics)[0]
    assert float((shown - joints).norm(dim=-1).mean()) < 0.08 * float((high - low).max())


@pytest.mark.weights
def test_nobody_is_reliable_in_noise_or_in_nothing(body, generator):
    noise = torch.rand(3, 120, 160, generator=generator) * 2.0 - 1.0
    assert not find_body(noise, body=body).reliable
    assert not find_body(torch.zeros(3, 120, 160), body=body).reliable


@pytest.mark.slow
@pytest.mark.weights
def test_around_the_frame_before_the_same_person_is_found(body):
    image = in_a_corner(0.6)
    first = find_body(image, body=body)
    again = find_body(image, body=body, near=first.prediction.joints_px)
    off = (again.prediction.joints_px - first.prediction.joints_px).norm(dim=-1)
    assert float(off.mean()) < 4.0
    assert again.windows == 1


def test_an_untrained_network_gives_numbers_that_can_be_compared(body, generator):
    network = BodyRegressor(SMALL).eval()
    image = torch.rand(3, 50, 70, generator=generator) * 2.0 - 1.0
    found = find_body(image, network=network, body=body, focal_px=90.0)
    assert found.spread > 0.0
    assert float(found.prediction.params.intrinsics[0, 0, 0]) == 90.0
    assert found.prediction.params.image_size == (50, 70)


def test_readings_must_agree_within_and_between_windows(body):
    prediction = find_body(
        torch.zeros(3, 32, 32), network=BodyRegressor(SMALL).eval(), body=body
    ).prediction
    assert isinstance(prediction, Prediction)
    for spread, windows, reliable in ((0.03, 4, True), (0.03, 1, False), (0.06, 9, False)):
        found = FoundBody(prediction=prediction, spread=spread, windows=windows)
        assert found.reliable == reliable, (spread, windows)
