import pytest
import torch

from posexfer_core.diffusion.attach import attach, empty_context
from posexfer_core.diffusion.guidance import (
    FULL,
    NONE,
    POSE,
    Guidance,
    branch_condition,
    guided_prediction,
)
from posexfer_core.errors import ConfigError
from posexfer_core.network.config import NetworkConfig
from tests.posexfer_core.diffusion.toys import SHAPE, random_inputs, toy_network, toy_unet


def test_weights_are_the_formula_spread_out():
    # none + 2 (pose - none) + 3 (full - pose) = -none - pose + 3 full
    assert Guidance(pose=2.0, identity=3.0).weights == {NONE: -1.0, POSE: -1.0, FULL: 3.0}
    # none + 3 (full - none)
    two = Guidance(pose=7.0, identity=3.0, mode="two")
    assert two.weights == {NONE: -2.0, FULL: 3.0}


def test_passes_that_weigh_nothing_are_left_out():
    assert Guidance(pose=1.0, identity=1.0).weights == {FULL: 1.0}
    assert Guidance(pose=1.0, identity=1.0, mode="two").weights == {FULL: 1.0}
    assert Guidance(pose=1.0, identity=2.0).weights == {POSE: -1.0, FULL: 2.0}
    assert Guidance(pose=2.0, identity=2.0).weights == {NONE: -1.0, FULL: 2.0}
    assert Guidance(pose=1.0, identity=0.0).weights == {POSE: 1.0}


def test_a_network_has_usual_scales_that_can_be_changed_one_by_one():
    assert Guidance.usual(NetworkConfig.tiny()) == Guidance(pose=1.0, identity=1.0)
    over_sd15 = Guidance.usual(NetworkConfig.sd15(), identity=3.0)
    assert over_sd15 == Guidance(pose=NetworkConfig.sd15().guidance_pose, identity=3.0)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (2.0, 3.5), (0.0, 4.0), (5.0, 0.0)])
def test_weights_sum_to_one(scales: tuple[float, float]):
    pose, identity = scales
    assert sum(Guidance(pose=pose, identity=identity).weights.values()) == pytest.approx(1.0)


def test_bad_settings_are_refused():
    with pytest.raises(ConfigError, match="pose is -1"):
        Guidance(pose=-1.0)
    with pytest.raises(ConfigError, match="identity is nan"):
        Guidance(identity=float("nan"))


@torch.no_grad()
@pytest.mark.parametrize("mode", ["three", "two"])
def test_one_stacked_pass_equals_separate_passes_by_hand(generator, mode):
    unet, network = toy_unet(), toy_network()
    inputs = random_inputs(generator)
    sample = torch.randn(2, SHAPE.latent_channels, 8, 5, generator=generator)
    context = empty_context(unet, 2)
    guidance = Guidance(pose=2.5, identity=4.0, mode=mode)
    with attach(unet, network) as attachment:

        def alone(identity: bool, pose: bool) -> torch.Tensor:
            condition = network.condition(
                inputs,
                keep_identity=torch.tensor([identity] * 2),
                keep_pose=torch.tensor([pose] * 2),
            )
            attachment.set_condition(condition)
            return attachment.predict(sample, 300, context)

        none, pose, full = alone(False, False), alone(False, True), alone(True, True)
        if mode == "three":
            by_hand = none + 2.5 * (pose - none) + 4.0 * (full - pose)
        else:
            by_hand = none + 4.0 * (full - none)
        attachment.set_condition(branch_condition(network, inputs, guidance))
        stacked = guided_prediction(attachment, guidance, sample, 300, context)
    torch.testing.assert_close(stacked, by_hand, atol=2e-5, rtol=1e-4)
    assert not torch.allclose(none, pose, atol=1e-2) and not torch.allclose(pose, full, atol=1e-2)


@torch.no_grad()
def test_maps_can_be_left_out_of_every_pass(generator):
    network, inputs = toy_network(), random_inputs(generator)
    nothing, guidance = dict.fromkeys(inputs.maps, False), Guidance(pose=2.0, identity=1.5)
    condition = branch_condition(network, inputs, guidance, keep_maps=nothing)
    assert all(not residual.any() for residual in condition.residuals)
    no_warp = branch_condition(network, inputs, guidance, keep_maps={"warp": False})
    kept = branch_condition(network, inputs, guidance)
    without, with_warp = no_warp.residuals[0], kept.residuals[0]
    assert torch.equal(without[:4], with_warp[:4])  # none and pose have no warp anyway
    assert not torch.allclose(without[4:], with_warp[4:], atol=1e-4)
