import torch

from posexfer_core.body.pose_editing import mirrored
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.pose_networks.regress_mirror import mirror_regressed, read_both_ways
from posexfer_core.pose_networks.regress_network import RegressConfig, RegressNetwork
from posexfer_core.pose_networks.regressor import regressed_params

SMALL = RegressConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


@torch.no_grad()
def test_a_mirrored_reading_is_the_mirrored_person(generator):
    found = RegressNetwork(SMALL)(torch.randn(1, 3, 64, 48, generator=generator))
    there = mirrored(regressed_params(found, 0, (64, 48)))
    here = regressed_params(mirror_regressed(found), 0, (64, 48))
    torch.testing.assert_close(
        axis_angle_to_matrix(here.pose), axis_angle_to_matrix(there.pose), rtol=0, atol=1e-4
    )
    torch.testing.assert_close(here.transl, there.transl, rtol=0, atol=2e-3)


@torch.no_grad()
def test_a_image_and_its_mirror_image_are_read_alike(generator):
    network = RegressNetwork(SMALL).eval()
    images = torch.randn(2, 3, 64, 48, generator=generator)
    here = read_both_ways(network, images)
    there = mirror_regressed(read_both_ways(network, images.flip(-1)))
    for name, tensor in vars(here).items():
        torch.testing.assert_close(getattr(there, name), tensor, rtol=0, atol=1e-4)
    torch.testing.assert_close(here.maps.exp().sum((-2, -1)), torch.ones(2, 24))
