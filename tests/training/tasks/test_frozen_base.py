import copy
from pathlib import Path

import pytest
import torch

from posexfer_core.diffusion.base import Base
from posexfer_core.errors import ConfigError
from posexfer_core.network.config import MAP_CHANNELS
from tests.small_bases import write_sd15, write_sdxl
from training.averaging import trained_parameters
from training.config import BaseTraining, NetworkTraining
from training.data.prepared import PLANES
from training.sample_random import SampleRandom
from training.tasks.frozen_base import FrozenBase
from training.tasks.network import TransferLoss
from training.tasks.network_files import configure
from training.trainer import checkpoint_activations

SMALL = {"points": 16, "token_width": 24, "control_heads": 2, "control_blocks": 1}
SMALL |= {"prior_blocks": 1}
SIZE = (64, 48)


@pytest.fixture(scope="module", params=["sd15", pytest.param("sdxl", marks=pytest.mark.slow)])
def base(request, tmp_path_factory) -> BaseTraining:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sd15":
        return BaseTraining(model=write_sd15(folder))
    return BaseTraining(model=write_sdxl(folder))


@pytest.fixture(scope="module")
def frozen(base) -> FrozenBase:
    return FrozenBase.load(base)


def make_loss(base: BaseTraining, frozen: FrozenBase, **settings) -> TransferLoss:
    levels = len(Base(base).describe_adapter().unet.block_out_channels)
    config = configure(SMALL | {"prior_widths": [8] * levels}, base)
    torch.manual_seed(3)
    given = {"prepared": Path("p"), "noises": 1, **settings}
    loss = TransferLoss(config, NetworkTraining(**given), frozen)
    for name, parameter in loss.named_parameters():  # new branches are heard
        if name.endswith(".out.weight"):
            torch.nn.init.normal_(parameter, std=0.1)
    return loss


def make_batch(loss: TransferLoss, count: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    config = loss.network.config
    latents = torch.randn(count, 4, SIZE[0] // 8, SIZE[1] // 8, generator=generator)

    def levels(*shape: int) -> torch.Tensor:
        return torch.randint(256, (count, *shape), generator=generator, dtype=torch.uint8)

    assert set(PLANES) <= {*MAP_CHANNELS, "source_maps"}
    return {
        "image": levels(*SIZE, 3),
        "planes": levels(sum(PLANES.values()), *SIZE),
        "points": torch.rand(count, config.points, 3, generator=generator) * 2.0 - 1.0,
        "target_latents": latents,
        "warp_latents": latents.flip(2),
        "source_latents": latents.flip(3),
        "clip_hidden": torch.randn(count, 5, config.clip_width, generator=generator),
        "rotations": torch.eye(3).expand(count, 24, 3, 3),
        "betas": torch.zeros(count, 10),
    }


def gradients(loss: TransferLoss) -> dict[str, torch.Tensor]:
    loss.zero_grad()
    loss(make_batch(loss), SampleRandom.seeded(0, [0, 1]))["loss"].backward()
    found = {name: p.grad for name, p in loss.named_parameters() if p.grad is not None}
    return {name: gradient.clone() for name, gradient in found.items()}


def test_a_base_keeps_its_noise_schedule(base):
    with pytest.raises(ConfigError, match="trained over") as refused:
        configure({"zero_terminal_snr": True}, base)
    assert len(str(refused.value).splitlines()) == 3


def test_gradients_reach_the_adapter_and_checkpointing_does_not_change_them(base, frozen):
    loss = make_loss(base, frozen)
    before = {name: value.clone() for name, value in frozen.unet.state_dict().items()}
    plain = gradients(loss)
    sites = [name for name in plain if ".sites." in name]
    assert sites and all(plain[name].any() for name in sites if name.endswith("value.weight"))
    checkpoint_activations(loss)
    again = gradients(loss)
    assert again.keys() == plain.keys()
    for name, gradient in again.items():
        largest = float(plain[name].abs().max())
        torch.testing.assert_close(gradient, plain[name], atol=1e-4 * largest + 1e-7, rtol=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in frozen.unet.state_dict().items())
    assert not any(parameter.requires_grad for parameter in frozen.unet.parameters())


def test_the_base_is_no_part_of_what_is_trained_and_copies_share_it(base, frozen):
    loss = make_loss(base, frozen)
    assert {name.split(".")[0] for name in loss.state_dict()} == {"network"}
    assert copy.deepcopy(loss).base is loss.base


def test_keys_and_values_alone_can_be_trained(base, frozen):
    start = Path("start.safetensors")
    loss = make_loss(base, frozen, trained="keys_values", start=start)
    trained = trained_parameters(loss)
    assert trained and all(".sites." in name for name in trained)
    assert {name.split(".")[-2] for name in trained} == {"to_key", "to_value"}
    assert gradients(loss).keys() == trained.keys()
