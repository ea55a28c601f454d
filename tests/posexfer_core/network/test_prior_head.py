from dataclasses import replace

import torch

from posexfer_core.network.prior_head import LOG_STD_RANGE


def test_before_training_the_mean_is_the_warp(toy_network, toy_inputs):
    inputs = toy_inputs()
    prior = toy_network(trained=False).predict_prior(inputs)
    torch.testing.assert_close(prior.mean, inputs.warp_latents)
    middle = sum(LOG_STD_RANGE) / 2
    torch.testing.assert_close(prior.std.log(), torch.full_like(prior.std, middle))


def test_without_a_warp_the_mean_starts_at_zero(toy_network, toy_inputs):
    inputs = replace(toy_inputs(), warp_latents=None)
    assert not toy_network(trained=False).predict_prior(inputs).mean.any()


def test_without_maps_nothing_is_known(toy_network, toy_inputs):
    prior = toy_network().predict_prior(replace(toy_inputs(), maps={}))
    assert not prior.mean.any() and torch.equal(prior.std, torch.ones_like(prior.std))


@torch.no_grad()
def test_the_deviation_stays_in_its_range(toy_network, toy_inputs):
    network = toy_network()
    network.prior.head.to_mean_std.weight.data.mul_(1e3)
    low, high = LOG_STD_RANGE
    log_std = network.predict_prior(toy_inputs()).std.log()
    assert float(log_std.min()) >= low - 1e-5 and float(log_std.max()) <= high + 1e-5
