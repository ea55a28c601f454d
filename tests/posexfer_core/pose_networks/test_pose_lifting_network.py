import pytest
import torch

from posexfer_core.errors import ConfigError
from posexfer_core.files.configs import read_config
from posexfer_core.pose_networks.pose_lifting_network import (
    INPUT_WIDTH,
    LIFTED_NAMES,
    PoseLifter,
    PoseLifterConfig,
    lifter_inputs,
)


def test_inputs_say_shape_place_and_size(generator):
    rays = torch.rand(2, len(LIFTED_NAMES), 2, generator=generator) * 0.3
    seen = torch.ones(2, len(LIFTED_NAMES), dtype=torch.bool)
    first = lifter_inputs(rays, seen)
    moved = lifter_inputs(2.0 * rays + 0.1, seen)
    shape = 3 * len(LIFTED_NAMES)
    torch.testing.assert_close(moved[:, :shape], first[:, :shape], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[:, shape:-1], 2.0 * first[:, shape:-1] + 0.2)
    torch.testing.assert_close(moved[:, -1], first[:, -1] + torch.tensor(2.0).log())
    assert float(first[:, : 2 * len(LIFTED_NAMES)].abs().max()) <= 2.0


def test_what_is_not_seen_counts_for_nothing(generator):
    rays = torch.rand(1, len(LIFTED_NAMES), 2, generator=generator)
    seen = torch.ones(1, len(LIFTED_NAMES), dtype=torch.bool)
    seen[0, 9] = False
    wild = rays.clone()
    wild[0, 9] = 1e4
    assert torch.equal(lifter_inputs(rays, seen), lifter_inputs(wild, seen))


def test_places_lie_about_their_middle_and_spreads_are_positive(generator):
    torch.manual_seed(0)
    network = PoseLifter(PoseLifterConfig(hidden=16, blocks=1))
    found = network(10.0 * torch.randn(5, INPUT_WIDTH, generator=generator))
    torch.testing.assert_close(found.xyz.mean(1), torch.zeros(5, 3), atol=1e-6, rtol=0)
    assert found.scales.min() > 0.0 and found.scales.max() <= 1.0


@pytest.mark.parametrize("sizes", [{"colour": 3}, {"hidden": 0}, {"blocks": 0}])
def test_sizes_that_make_no_network_get_a_sentence(sizes):
    with pytest.raises(ConfigError):
        read_config(PoseLifterConfig, sizes)
