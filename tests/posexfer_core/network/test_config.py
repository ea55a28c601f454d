import json

import pytest

from posexfer_core.errors import ConfigError
from posexfer_core.network.config import MAP_CHANNELS, SD15_UNET, NetworkConfig, UNetShape


@pytest.mark.parametrize("preset", [NetworkConfig.tiny, NetworkConfig.sd15])
def test_config_survives_json(preset):
    config = preset(decoupled=False, maps=("mask", "skeleton"))
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_presets_are_what_they_are_called():
    tiny, sd15 = NetworkConfig.tiny(), NetworkConfig.sd15()
    assert (tiny.encoder, tiny.latent_channels, tiny.points) == ("conv", 16, 512)
    assert (sd15.encoder, sd15.latent_channels, sd15.token_width) == ("clip", 4, 768)


def test_warp_switch_takes_the_warp_out_of_the_maps():
    assert NetworkConfig.tiny().map_groups == tuple(MAP_CHANNELS)
    assert "warp" not in NetworkConfig.tiny(warp=False).map_groups
    assert NetworkConfig.tiny(maps=("skeleton", "mask")).map_groups == ("mask", "skeleton")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": "dino"}, "encoder"),
        ({"z_mode": "metres"}, "z_mode"),
        ({"maps": ("mask", "flow")}, "Unknown maps"),
        ({"points": 0}, "at least 1"),
        ({"control_heads": 5}, "cannot be split"),
        ({"prior_widths": (96, 128)}, "levels"),
        ({"prior_widths": (96, 128, 190)}, "multiples of 8"),
        ({"pints": 512}, "pints"),
        ({"points": None}, "hold together"),
        ({"unet": {"block_out_channels": [64]}}, "hold together"),
        ({"unet": 3}, "table of settings"),
    ],
)
def test_wrong_settings_are_named(changes, words):
    with pytest.raises(ConfigError, match=words):
        NetworkConfig.from_dict(changes)


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
