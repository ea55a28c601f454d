from dataclasses import replace

import pytest
import torch

from posexfer_core.errors import ConfigError, ImageError
from posexfer_core.network.condition import Dropout
from posexfer_core.network.config import MAP_CHANNELS


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


def test_a_condition_moves_with_every_tensor(toy_network, toy_inputs):
    condition = toy_network().condition(toy_inputs(2))
    row = condition.map_tensors(lambda tensor: tensor[1:]).to(torch.bfloat16)
    assert row.latent_prior is not None
    for tensor in (row.c_id, row.c_pose, row.pose_uvz, *row.residuals, row.latent_prior.std):
        assert len(tensor) == 1 and tensor.dtype == torch.bfloat16


def test_a_map_is_kept_where_nothing_drops_it():
    yes, no = torch.tensor([True, True]), torch.tensor([False, True])
    assert Dropout().kept_maps() == {}
    kept = Dropout(keep_identity=no, keep_maps={"mask": yes}).kept_maps()
    assert kept.keys() == {"mask", "warp", "carried"}
    assert torch.equal(kept["mask"], yes) and torch.equal(kept["warp"], no)
    kept = Dropout(keep_pose=no, keep_maps={"depth": ~no}).kept_maps()
    assert kept.keys() == set(MAP_CHANNELS)
    assert torch.equal(kept["skeleton"], no) and not kept["depth"].any()
