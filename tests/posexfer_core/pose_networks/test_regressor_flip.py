import torch

from posexfer_core.body.pose_editing import mirrored
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.pose_networks.regressor import params_from_output
from posexfer_core.pose_networks.regressor_flip import flip_output, predict_with_flip
from posexfer_core.pose_networks.regressor_network import BodyRegressor, BodyRegressorConfig

SMALL = BodyRegressorConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


@torch.no_grad()
def test_a_mirrored_reading_is_the_mirrored_person(generator):
    found = BodyRegressor(SMALL)(torch.randn(1, 3, 64, 48, generator=generator))
    there = mirrored(params_from_output(found, 0, (64, 48)))
    here = params_from_output(flip_output(found), 0, (64, 48))
    torch.testing.assert_close(
        axis_angle_to_matrix(here.pose), axis_angle_to_matrix(there.pose), rtol=0, atol=1e-4
    )
    torch.testing.assert_close(here.transl, there.transl, rtol=0, atol=2e-3)


@torch.no_grad()
def test_a_image_and_its_mirror_image_are_read_alike(generator):
    network = BodyRegressor(SMALL).eval()
    images = torch.randn(2, 3, 64, 48, generator=generator)
    here = predict_with_flip(network, images)
    there = flip_output(predict_with_flip(network, images.flip(-1)))
    for name, tensor in vars(here).items():
        torch.testing.assert_close(getattr(there, name), tensor, rtol=0, atol=1e-4)
    torch.testing.assert_close(here.maps.exp().sum((-2, -1)), torch.ones(2, 24))
