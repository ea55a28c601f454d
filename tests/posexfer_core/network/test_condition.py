from dataclasses import replace

import pytest
import torch

from posexfer_core.errors import ConfigError, ImageError
from posexfer_core.network.condition import Condition


def test_sizes_that_no_latents_have_are_refused(toy_inputs):
    with pytest.raises(ImageError, match="44x40"):
        toy_inputs(size=(44, 40))


def test_unknown_maps_are_refused(toy_inputs):
    with pytest.raises(ConfigError, match="flow"):
        replace(toy_inputs(), maps={"flow": torch.zeros(2, 2, 48, 40)})


def test_maps_of_another_size_are_refused(toy_inputs):
    with pytest.raises(ImageError, match="mask"):
        replace(toy_inputs(), maps={"mask": torch.zeros(2, 1, 48, 48)})


def test_inputs_move_with_every_tensor(toy_inputs):
    moved = toy_inputs().to(torch.float64)
    assert moved.image.dtype == moved.maps["warp"].dtype == torch.float64
    assert moved.warp_latents is not None and moved.warp_latents.dtype == torch.float64


def test_conditions_stack_along_the_batch(toy_network, toy_inputs):
    network = toy_network()
    both = network.condition(toy_inputs(2))
    apart = [both.map_tensors(lambda tensor, row=row: tensor[row : row + 1]) for row in range(2)]
    stacked = Condition.cat(apart)
    assert torch.equal(stacked.identity, both.identity)
    assert torch.equal(stacked.pose_uv, both.pose_uv)
    assert len(stacked.residuals) == 2
    assert all(torch.equal(a, b) for a, b in zip(stacked.residuals, both.residuals, strict=True))
    assert stacked.to(torch.bfloat16).residuals[0].dtype == torch.bfloat16
