import pytest
import torch

from posexfer_core.errors import ConfigError
from posexfer_core.files.configs import read_config
from posexfer_core.pose_networks.regressor_network import (
    BodyRegressor,
    BodyRegressorConfig,
    cell_centres,
)

SMALL = BodyRegressorConfig(height=64, width=48, channels=(8, 8, 16), blocks=(1, 1, 1), hidden=32)


def test_before_training_everyone_stands_and_faces_the_camera(generator):
    network = BodyRegressor(SMALL)
    torch.nn.init.zeros_(network.out.weight)
    found = network(torch.randn(2, 3, 64, 48, generator=generator))
    upright = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    torch.testing.assert_close(found.rotations[:, 0], upright.expand(2, 3, 3))
    torch.testing.assert_close(found.rotations[:, 1:], torch.eye(3).expand(2, 23, 3, 3))
    assert not found.betas.any()
    torch.testing.assert_close(found.camera[:, :2], found.joints_ndc[:, 0])


def test_rotations_are_rotations_and_images_do_not_mix(generator):
    network = BodyRegressor(SMALL).eval()
    images = torch.randn(3, 3, 64, 48, generator=generator)
    found = network(images)
    product = found.rotations @ found.rotations.mT
    torch.testing.assert_close(product, torch.eye(3).expand_as(product), rtol=0, atol=1e-5)
    alone = network(images[1:2])
    torch.testing.assert_close(alone.rotations[0], found.rotations[1], rtol=0, atol=1e-5)


def test_a_joint_is_seen_in_the_middle_of_its_map(generator):
    found = BodyRegressor(SMALL)(torch.randn(2, 3, 64, 48, generator=generator))
    shares = found.maps.exp()
    assert shares.shape == (2, 24, 8, 6)
    torch.testing.assert_close(shares.sum((-2, -1)), torch.ones(2, 24))
    middle = shares.flatten(2) @ cell_centres(found.maps)
    torch.testing.assert_close(found.joints_ndc, middle)


def test_sizes_come_as_json_has_them():
    config = read_config(
        BodyRegressorConfig, {"channels": [8, 8, 16], "blocks": [1, 1, 1], "hidden": 32}
    )
    assert config.channels == (8, 8, 16) and config.hidden == 32
    with pytest.raises(ConfigError, match="colour"):
        read_config(BodyRegressorConfig, {"colour": 3})


def test_places_are_named_row_by_row():
    centres = cell_centres(torch.zeros(2, 4))
    assert centres[0].tolist() == [-0.75, -0.5]
    assert centres[1].tolist() == [-0.25, -0.5]
    assert centres[4].tolist() == [-0.75, 0.5]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"height": 100}, "multiples of 8"),
        ({"channels": (8, 12, 16)}, "three multiples of 8"),
        ({"blocks": (0, 1, 1)}, "at least 1"),
    ],
)
def test_sizes_that_make_no_network_are_refused(changes, words):
    with pytest.raises(ConfigError, match=words):
        BodyRegressorConfig(**changes)
