from dataclasses import replace

import pytest
import torch

from posexfer_core.errors import ConfigError


def depth_changed(inputs):
    points = inputs.points.clone()
    points[..., 2] += 0.3
    return replace(inputs, points=points)


def test_depth_changes_the_pose_tokens(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    before, after = network.condition(inputs), network.condition(depth_changed(inputs))
    assert (before.c_pose - after.c_pose).abs().max() > 1e-2


def test_z_mode_zero_is_blind_to_depth(toy_network, toy_inputs):
    network, inputs = toy_network(z_mode="zero"), toy_inputs()
    before, after = network.condition(inputs), network.condition(depth_changed(inputs))
    assert torch.equal(before.c_pose, after.c_pose)


def test_points_may_come_in_any_order(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    turned = replace(
        inputs, points=inputs.points.flip(1), points_canonical=inputs.points_canonical.flip(1)
    )
    torch.testing.assert_close(
        network.condition(turned).c_pose.flip(1),
        network.condition(inputs).c_pose,
        rtol=0,
        atol=1e-5,
    )


def test_attention_is_the_posters(toy_network, toy_inputs, generator):
    """softmax(Q K^T / sqrt(d)) V, a head at a time, on top of the points."""
    block = toy_network().control.blocks[0]
    points = torch.randn(1, 4, 24, generator=generator)
    tokens = torch.randn(1, 7, 24, generator=generator)
    query = block.phi_q(block.attention_norm(points))
    found = []
    for head in (slice(0, 12), slice(12, 24)):
        key, value = block.phi_k(tokens)[..., head], block.phi_v(tokens)[..., head]
        weights = (query[..., head] @ key.transpose(1, 2) / 12**0.5).softmax(-1)
        found.append(weights @ value)
    expected = points + block.attention_out(torch.cat(found, -1))
    expected = expected + block.mlp(expected)
    torch.testing.assert_close(block(points, tokens), expected)


@torch.no_grad()
def test_points_find_the_token_of_their_own_place_before_training(toy_network, toy_inputs):
    network = toy_network(trained=False, rest_correspondence=True, token_width=96, token_stride=8)
    inputs = toy_inputs(1)
    shown = network.encoder.body_places(replace(inputs, source_maps=inputs.source_maps * 0 + 1))
    places = torch.rand(1, 30, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    module, fourier = network.control.correspondence, network.control.embedding.canonical_fourier
    projected = module(fourier(places)).unflatten(-1, (2, 48)).transpose(1, 2)
    logits = projected @ projected.mT / 48**0.5
    torch.testing.assert_close(logits.diagonal(dim1=2, dim2=3), torch.full((1, 2, 30), 12.0))
    assert torch.equal(logits.argmax(-1), torch.arange(30).expand(1, 2, -1))
    assert shown.share.shape == (1, 30, 1)


def test_normals_count_where_they_are_embedded_and_must_be_given(toy_network, toy_inputs):
    network, inputs = toy_network(point_normals=True), toy_inputs()
    up = torch.tensor([0.0, -1.0, 0.0]).expand(2, 10, 3)
    first = network.condition(replace(inputs, normals=up)).c_pose
    second = network.condition(replace(inputs, normals=-up)).c_pose
    assert (first - second).abs().max() > 1e-2
    with pytest.raises(ConfigError, match="point_normals"):
        network.condition(inputs)


def test_a_body_may_be_one_token(toy_network, toy_inputs):
    network, inputs = toy_network(pose_from="vector"), toy_inputs()
    numbers = torch.randn(2, 157, generator=torch.Generator().manual_seed(0))
    condition = network.condition(replace(inputs, body_vector=numbers))
    assert condition.c_pose.shape == (2, 1, 24) and not condition.pose_uvz.any()
    kv = network.precompute_kv(condition)
    assert network.attend("down_1_0", torch.zeros(2, 12, 64), kv, 3, 4).any()
    with pytest.raises(ConfigError, match="body_vector"):
        network.condition(inputs)
