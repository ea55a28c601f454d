from dataclasses import replace

import pytest
import torch

from posexfer_core.network.config import MAP_CHANNELS, Ablation, NetworkConfig
from posexfer_core.network.prior import PosePrior2D
from posexfer_core.network.sites import TINY_UNET, level_sizes


def residuals(network, inputs, **keep):
    keep = {name: torch.tensor(flags) for name, flags in keep.items()}
    return network.prior(inputs.maps, inputs.warp_latents, keep, inputs.image)[0]


def equal(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_residuals_are_zero_before_training(toy_network, toy_inputs):
    assert not any(level.any() for level in residuals(toy_network(trained=False), toy_inputs()))


def test_residuals_have_the_sizes_of_the_unets_levels():
    prior = PosePrior2D(NetworkConfig(ablation=Ablation(maps=("mask",)), prior_widths=(8, 8, 8)))
    image = torch.zeros(1, 3, 256, 176)
    levels, _ = prior({"mask": torch.ones(1, 1, 256, 176)}, None, {}, image)
    sizes = level_sizes(32, 22, TINY_UNET)
    assert [tuple(level.shape) for level in levels] == [
        (1, channels, *size)
        for channels, size in zip(TINY_UNET.block_out_channels, sizes, strict=True)
    ]


@pytest.mark.parametrize("name", MAP_CHANNELS)
def test_every_group_counts_and_a_dropped_one_is_a_missing_one(toy_network, toy_inputs, name):
    network, inputs = toy_network(maps=tuple(MAP_CHANNELS)), toy_inputs(2)
    everything = residuals(network, inputs)
    dropped = residuals(network, inputs, **{name: [False, True]})
    rest = {other: values for other, values in inputs.maps.items() if other != name}
    missing = residuals(network, replace(inputs, maps=rest))
    for level in range(2):
        torch.testing.assert_close(dropped[level][0], missing[level][0])
        torch.testing.assert_close(dropped[level][1], everything[level][1])
        assert not torch.equal(dropped[level][0], everything[level][0])


def test_absence_is_not_a_map_of_zeros(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    blank = replace(inputs, maps=inputs.maps | {"depth": torch.zeros(2, 1, 48, 40)})
    assert not equal(residuals(network, blank), residuals(network, inputs, depth=[False, False]))


def test_a_sample_without_maps_gets_exactly_nothing(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs(2)
    dropped = residuals(network, inputs, **{name: [False, True] for name in MAP_CHANNELS})
    assert not any(level[0].any() for level in dropped)
    assert all(level[1].any() for level in dropped)
    none = residuals(network, replace(inputs, maps={}))
    assert not any(level.any() for level in none)


def test_warp_latents_come_and_go_with_the_warp(toy_network, toy_inputs):
    network, inputs = toy_network(), toy_inputs()
    without = replace(inputs, warp_latents=None)
    assert not equal(residuals(network, inputs), residuals(network, without))
    gone = [False, False]
    assert equal(residuals(network, inputs, warp=gone), residuals(network, without, warp=gone))


def test_without_the_warp_switch_neither_map_nor_latents_are_read(toy_network, toy_inputs):
    network, inputs = toy_network(warp=False), toy_inputs()
    rest = {name: values for name, values in inputs.maps.items() if name != "warp"}
    without = replace(inputs, maps=rest, warp_latents=None)
    assert equal(residuals(network, inputs), residuals(network, without))


def test_a_prior_of_2d_systems_reads_skeleton_and_mask_only(toy_network, toy_inputs):
    network, inputs = toy_network(maps=("mask", "skeleton")), toy_inputs()
    rest = {name: inputs.maps[name] for name in ("mask", "skeleton")}
    assert equal(residuals(network, inputs), residuals(network, replace(inputs, maps=rest)))
