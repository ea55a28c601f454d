from dataclasses import replace

import pytest
import torch

from posexfer_core.network.condition import Dropout
from posexfer_core.network.config import NetworkConfig, SamplingDefaults
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.sites import enumerate_sites, level_sizes

SWITCHES = [
    {},
    {"decoupled": False},
    {"control_3d": False},
    {"decoupled": False, "control_3d": False},
    {"prior_2d": False},
    {"warp": False},
    {"encoder": "clip"},
]


def flags(*values: bool) -> torch.Tensor:
    return torch.tensor(values)


def same(ours, theirs, row: int | slice = slice(None)):
    pairs = [
        (ours.c_id, theirs.c_id),
        (ours.c_pose, theirs.c_pose),
        (ours.pose_uvz, theirs.pose_uvz),
        *zip(ours.residuals, theirs.residuals, strict=True),
    ]
    return all(torch.allclose(a[row], b[row], rtol=1e-5, atol=1e-6) for a, b in pairs)


def other_person(inputs):
    """The same target body, but another source image."""
    return replace(
        inputs,
        image=-inputs.image,
        source_maps=1 - inputs.source_maps,
        maps=inputs.maps | {"warp": -inputs.maps["warp"]},
        warp_latents=-inputs.warp_latents,
    )


def other_pose(inputs):
    """The same source image, but another target body."""
    return replace(
        inputs,
        points=inputs.points.flip(0),
        points_canonical=inputs.points_canonical.flip(0),
        maps={name: values.flip(-1) for name, values in inputs.maps.items()},
    )


def test_dropped_identity_is_independent_of_the_image(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    ours = network.condition(inputs, Dropout(keep_identity=flags(False, True)))
    theirs = network.condition(other_person(inputs), Dropout(keep_identity=flags(False, True)))
    assert same(ours, theirs, row=0)
    assert not same(ours, theirs, row=1)
    assert torch.equal(ours.c_id[0], network.null_identity.expand_as(ours.c_id[0]))
    assert ours.residuals[0][0].any()  # the pose's own maps stay


def test_dropped_pose_is_independent_of_the_body_and_has_no_residuals(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    ours = network.condition(inputs, Dropout(keep_pose=flags(False, True)))
    theirs = network.condition(other_pose(inputs), Dropout(keep_pose=flags(False, True)))
    assert same(ours, theirs, row=0)
    assert not any(level[0].any() for level in ours.residuals)
    assert torch.equal(ours.c_pose[0], network.null_pose.expand_as(ours.c_pose[0]))
    assert same(ours, network.condition(inputs), row=1)


def test_dropping_maps_leaves_the_pose_tokens(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    gone = {name: flags(False, False) for name in network.config.ablation.map_groups}
    dropped, kept = network.condition(inputs, Dropout(keep_maps=gone)), network.condition(inputs)
    assert not any(level.any() for level in dropped.residuals)
    assert torch.equal(dropped.c_pose, kept.c_pose)


@pytest.mark.parametrize("switches", SWITCHES)
def test_samples_do_not_see_each_other(toy_network, toy_inputs, switches):
    network, inputs = toy_network(**switches), toy_inputs(2)
    together = network.condition(inputs)
    for row in range(2):
        alone = network.condition(inputs.map_tensors(lambda tensor, row=row: tensor[row : row + 1]))
        row_of_both = together.map_tensors(lambda tensor, row=row: tensor[row : row + 1])
        assert same(alone, row_of_both)


@pytest.mark.parametrize("switches", SWITCHES)
def test_gradient_reaches_every_parameter(toy_network, toy_inputs, generator, switches):
    network, inputs = toy_network(**switches), toy_inputs(3)
    dropout = Dropout(keep_identity=flags(True, True, False), keep_pose=flags(True, False, True))
    condition, (rotations, betas) = network.condition_and_params(inputs, dropout)
    kv = network.precompute_kv(condition)
    sizes = level_sizes(6, 5, network.config.unet)
    loss = rotations.square().mean() + betas.square().mean()
    for site in enumerate_sites(network.config.unet):
        height, width = sizes[site.level]
        query = torch.randn(3, height * width, site.channels, generator=generator)
        loss = loss + network.attend(site.key, query, kv, height, width).square().mean()
    for level in condition.residuals:
        loss = loss + level.square().mean()
    loss.backward()
    untouched = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert untouched == []


def test_switches_take_their_parts_away(toy_network, toy_inputs):
    inputs = toy_inputs()
    assert toy_network(prior_2d=False).condition(inputs).residuals == ()
    without_control = toy_network(control_3d=False).condition(inputs)
    assert without_control.c_pose.shape == (2, 0, 24)
    assert without_control.pose_uvz.shape == (2, 0, 3)


def test_params_come_from_the_same_pass(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    calls = []
    network.encoder.register_forward_hook(lambda *_: calls.append(1))
    condition, params = network.condition_and_params(inputs)
    assert len(calls) == 1
    assert same(condition, network.condition(inputs))
    f_med, _ = network.feature_lifting(network.encoder(inputs))
    torch.testing.assert_close(params, network.params_head(f_med))


def test_params_are_read_off_the_image_though_its_identity_is_dropped(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    _, kept = network.condition_and_params(inputs)
    gone = Dropout(keep_identity=flags(False, False))
    _, dropped = network.condition_and_params(inputs, gone)
    assert torch.equal(kept[0], dropped[0])


def test_condition_runs_under_autocast(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    exact = network.condition(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        both = flags(True, True)
        rough = network.condition(inputs, Dropout(keep_identity=both, keep_pose=both))
        kv = network.precompute_kv(rough)
        network.attend("mid_0_0", torch.randn(2, 9, 64), kv, 3, 3)
    assert (rough.c_pose.float() - exact.c_pose).abs().max() < 0.2


def test_the_tiny_network_is_tiny():
    network = PoseTransferNetwork(NetworkConfig())
    assert 6e6 < sum(parameter.numel() for parameter in network.parameters()) < 9e6


def test_the_prior_is_narrowed_by_the_usual_temperature_when_sampling(toy_network, toy_inputs):
    inputs = toy_inputs()
    network = toy_network(sampling=SamplingDefaults(temperature=0.5))
    whole, cool = network.predict_prior(inputs), network.condition(inputs).latent_prior
    trained = network.condition_and_params(inputs)[0].latent_prior
    assert whole is not None and cool is not None and trained is not None
    torch.testing.assert_close(cool.std, 0.5 * whole.std)
    assert torch.equal(trained.std, whole.std) and torch.equal(cool.mean, whole.mean)
    assert toy_network(prior_head=False).predict_prior(inputs) is None
