import json
from dataclasses import asdict

import pytest

from posexfer_core.errors import ConfigError
from posexfer_core.files.configs import read_config
from posexfer_core.network.config import MAP_CHANNELS, USUAL_MAPS, Ablation, NetworkConfig
from posexfer_core.network.sites import SD15_UNET, UNetShape


@pytest.mark.parametrize("preset", [NetworkConfig, NetworkConfig.sd15])
def test_config_survives_json(preset):
    config = preset(ablation=Ablation(decoupled=False, maps=("mask", "skeleton")))
    assert read_config(NetworkConfig, json.loads(json.dumps(asdict(config)))) == config


def test_presets_are_what_they_are_called():
    tiny, sd15 = NetworkConfig(), NetworkConfig.sd15()
    assert (tiny.encoder, tiny.latent_channels, tiny.points) == ("conv", 16, 512)
    assert (sd15.encoder, sd15.latent_channels, sd15.token_width) == ("clip", 4, 768)


def test_warp_switch_takes_the_warp_out_of_the_maps():
    assert Ablation().map_groups == USUAL_MAPS
    assert Ablation(maps=tuple(MAP_CHANNELS)).map_groups == (*USUAL_MAPS, "plate", "carried")
    assert "warp" not in Ablation(warp=False).map_groups
    assert Ablation(maps=("skeleton", "mask")).map_groups == ("mask", "skeleton")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": "dino"}, "encoder"),
        ({"ablation": {"z_mode": "metres"}}, "z_mode"),
        ({"ablation": {"maps": ("mask", "flow")}}, "Unknown maps"),
        ({"sampling": {"temperature": 1.5}}, "temperature"),
        ({"sampling": {"guidance_pose": -1.0}}, "0 or more"),
        ({"points": 0}, "at least 1"),
        ({"zero_terminal_snr": True}, "has a prior head"),
        ({"control_heads": 5}, "cannot be split"),
        ({"prior_widths": (96, 128)}, "levels"),
        ({"prior_widths": (96, 128, 190)}, "multiples of 8"),
        ({"token_stride": 4}, "8 or 16"),
        ({"geometric_logits": True, "pose_from": "vector"}, "points"),
        ({"geometric_logits": True, "ablation": {"decoupled": False}}, "decoupled"),
        ({"pints": 512}, "pints"),
        ({"points": None}, "hold together"),
        ({"unet": {"block_out_channels": [64]}}, "hold together"),
        ({"unet": 3}, "table of settings"),
    ],
)
def test_wrong_settings_are_named(changes, words):
    with pytest.raises(ConfigError, match=words):
        read_config(NetworkConfig, changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": (8, 8)}, "one entry per level"),
        ({"heads": (7, 8, 8, 8)}, "cannot be split"),
        ({"latent_channels": 0}, "at least 1"),
    ],
)
def test_unet_shapes_that_cannot_be_are_refused(changes, words):
    settings = {name: getattr(SD15_UNET, name) for name in SD15_UNET.__dataclass_fields__}
    with pytest.raises(ConfigError, match=words):
        UNetShape(**(settings | changes))
