from dataclasses import replace

import torch


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


def test_z_mode_shuffle_gives_every_sample_anothers_depth(toy_network, toy_inputs):
    inputs = toy_inputs(3)
    points = inputs.points.clone()
    points[..., 2] = points[..., 2].roll(1, 0)
    ours = toy_network(z_mode="shuffle").condition(inputs)
    by_hand = toy_network(z_mode="root").condition(replace(inputs, points=points))
    assert torch.equal(ours.c_pose, by_hand.c_pose)


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
