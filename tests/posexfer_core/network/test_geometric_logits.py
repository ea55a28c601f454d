from dataclasses import replace

import pytest
import torch

from posexfer_core.network.fourier import position_grid
from posexfer_core.network.geometric_logits import GeometricLogits, query_terms
from posexfer_core.network.sites import enumerate_sites

from .conftest import toy_config

SITE, HEIGHT, WIDTH = "down_1_0", 3, 4


def geometry(**changes):
    config = toy_config(geometric_logits=True, **changes)
    return GeometricLogits(enumerate_sites(config.unet)[0], config)


@torch.no_grad()
def test_terms_multiply_to_distance_and_depth(generator):
    module = geometry()
    uvz = torch.randn(2, 7, 3, generator=generator)
    grid, aspect = position_grid(6, 5), 5 / 6
    product = query_terms(6, 5) @ module.of_keys(uvz).mT
    across = aspect * (grid[:, None, 0] - uvz[:, None, :, 0])
    down = grid[:, None, 1] - uvz[:, None, :, 1]
    assert module.depth_bias is not None
    sigma, bias = module.log_sigma.exp()[:, None, None], module.depth_bias[:, None, None]
    direct = -0.5 * (across**2 + down**2)[:, None] / sigma**2 - bias * uvz[:, None, None, :, 2]
    torch.testing.assert_close(product.softmax(-1), direct.softmax(-1))


@torch.no_grad()
def test_of_two_points_at_one_place_the_nearer_wins():
    module = geometry()
    uvz = torch.tensor([[[0.2, 0.1, 0.15], [0.2, 0.1, -0.15]]])
    weights = (query_terms(6, 5) @ module.of_keys(uvz).mT).softmax(-1)
    first = weights[0, 0]  # 14 per metre over 0.3 m: e^4.2
    torch.testing.assert_close(
        first[:, 1] / first[:, 0], torch.full((30,), 66.686), rtol=1e-3, atol=0
    )
    assert torch.equal(geometry(depth_logits=False).of_keys(uvz)[..., 4], torch.zeros(1, 2, 2))


def test_depth_alone_moves_attention(toy_network, toy_inputs, generator):
    network = toy_network(geometric_logits=True)
    condition = network.condition(toy_inputs())
    nearer = condition.pose_uvz.clone()
    nearer[:, 3, 2] -= 1.0
    query = torch.randn(2, HEIGHT * WIDTH, 64, generator=generator)
    added = [
        network.attend(SITE, query, network.precompute_kv(each), HEIGHT, WIDTH)
        for each in (condition, replace(condition, pose_uvz=nearer))
    ]
    assert (added[0] - added[1]).abs().max() > 1e-3


@torch.no_grad()
def test_null_tokens_need_no_geometry_and_add_the_same(toy_network, toy_inputs, generator):
    network = toy_network(geometric_logits=True)
    condition = network.condition(toy_inputs(3))
    c_pose, uvz = condition.c_pose.clone(), condition.pose_uvz.clone()
    c_pose[1], uvz[1] = network.null_pose, 0.0
    condition = replace(condition, c_pose=c_pose, pose_uvz=uvz)
    query = torch.randn(3, HEIGHT * WIDTH, 64, generator=generator)
    spared = network.precompute_kv(condition)
    with torch.enable_grad():
        all_attend = network.precompute_kv(condition)
    assert len(spared[SITE].pose.key) == 2
    torch.testing.assert_close(
        network.attend(SITE, query, spared, HEIGHT, WIDTH),
        network.attend(SITE, query, all_attend, HEIGHT, WIDTH),
    )


def test_nothing_is_added_before_training(toy_network, toy_inputs, generator):
    network = toy_network(trained=False, geometric_logits=True, rest_correspondence=True)
    kv = network.precompute_kv(network.condition(toy_inputs()))
    query = torch.randn(2, HEIGHT * WIDTH, 64, generator=generator)
    assert not network.attend(SITE, query, kv, HEIGHT, WIDTH).any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_the_order(toy_network, toy_inputs, generator, dtype):
    network = toy_network(geometric_logits=True)
    kv = network.precompute_kv(network.condition(toy_inputs()))
    query = torch.randn(2, HEIGHT * WIDTH, 64, generator=generator)
    exact = network.attend(SITE, query, kv, HEIGHT, WIDTH)
    rough = network.attend(SITE, query.to(dtype), kv, HEIGHT, WIDTH)
    assert rough.dtype == dtype
    torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.05)
