import pytest
import torch

from posexfer_core.errors import ConfigError
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.guidance import FULL, NONE, POSE, Guidance, stacked_condition


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
    assert Guidance.usual(NetworkConfig()) == Guidance(pose=1.0, identity=1.0)
    over_sd15 = Guidance.usual(NetworkConfig.sd15(), identity=3.0)
    assert over_sd15 == Guidance(pose=2.0, identity=3.0)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (2.0, 3.5), (0.0, 4.0), (5.0, 0.0)])
def test_weights_sum_to_one(scales: tuple[float, float]):
    pose, identity = scales
    assert sum(Guidance(pose=pose, identity=identity).weights.values()) == pytest.approx(1.0)


def test_bad_settings_are_refused():
    with pytest.raises(ConfigError, match="pose is -1"):
        Guidance(pose=-1.0)
    with pytest.raises(ConfigError, match="identity is nan"):
        Guidance(identity=float("nan"))


def test_predictions_are_combined_by_their_weights():
    none, pose, full = (torch.tensor([value]) for value in (1.0, 2.0, 4.0))
    assert Guidance(pose=2.0, identity=3.0).combine([none, pose, full]).tolist() == [9.0]
    assert Guidance().combine([full]).tolist() == [4.0]


@torch.no_grad()
def test_maps_can_be_left_out_of_every_pass(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    nothing, guidance = dict.fromkeys(inputs.maps, False), Guidance(pose=2.0, identity=1.5)
    condition = stacked_condition(network, inputs, guidance.weights, keep_maps=nothing)
    assert all(not residual.any() for residual in condition.residuals)
    no_warp = stacked_condition(network, inputs, guidance.weights, keep_maps={"warp": False})
    kept = stacked_condition(network, inputs, guidance.weights)
    without, with_warp = no_warp.residuals[0], kept.residuals[0]
    assert torch.equal(without[:4], with_warp[:4])  # none and pose have no warp anyway
    assert not torch.allclose(without[4:], with_warp[4:], atol=1e-4)
