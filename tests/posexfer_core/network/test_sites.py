import pytest
import torch

from posexfer_core.errors import ConfigError
from posexfer_core.network.sites import (
    SD15_UNET,
    SDXL_UNET,
    TINY_UNET,
    UNetShape,
    comfy_block,
    diffusers_name,
    enumerate_sites,
    level_sizes,
    residual_block,
    residual_layer,
)

SHAPES = {"tiny": TINY_UNET, "sd15": SD15_UNET, "sdxl": SDXL_UNET}


@pytest.fixture(scope="module", params=SHAPES)
def shape_and_unet(request):
    diffusers = pytest.importorskip("diffusers")
    shape = SHAPES[request.param]
    with torch.device("meta"):
        unet = diffusers.UNet2DConditionModel(**shape.diffusers_config())
    return shape, unet


def test_sites_are_those_of_the_diffusers_unet(shape_and_unet):
    shape, unet = shape_and_unet
    found = {
        name: (module.to_q.out_features, module.heads, module.to_k.in_features)
        for name, module in unet.named_modules()
        if name.endswith("attn2")
    }
    ours = {
        diffusers_name(site): (site.channels, site.heads, shape.cross_attention_dim)
        for site in enumerate_sites(shape)
    }
    assert ours == found


def test_residual_layers_are_the_last_of_each_level(shape_and_unet):
    shape, unet = shape_and_unet
    for level, block in enumerate(unet.down_blocks):
        last = block.attentions[-1] if shape.attention[level] else block.resnets[-1]
        assert unet.get_submodule(residual_layer(level, shape)) is last


def test_latent_channels_are_those_of_the_diffusers_unet(shape_and_unet):
    shape, unet = shape_and_unet
    assert unet.conv_in.in_channels == unet.conv_out.out_channels == shape.latent_channels


@pytest.mark.parametrize(
    ("shape", "parameters"), [(SD15_UNET, 859_520_964), (SDXL_UNET, 2_567_463_684)]
)
def test_named_shapes_are_those_of_the_real_unets(shape, parameters):
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        unet = diffusers.UNet2DConditionModel(**shape.diffusers_config())
    assert sum(parameter.numel() for parameter in unet.parameters()) == parameters


def test_the_shape_is_read_back_from_the_config_of_the_unet(shape_and_unet):
    shape, unet = shape_and_unet
    assert UNetShape.of_diffusers(unet.config) == shape


def test_an_inpainting_unet_is_refused_in_words():
    config = SD15_UNET.diffusers_config() | {"in_channels": 9}
    with pytest.raises(ConfigError, match="reads 9 channels and draws 4"):
        UNetShape.of_diffusers(config)


def test_sites_come_in_the_order_of_the_unet():
    shape = UNetShape(
        block_out_channels=(32, 64, 96),
        layers_per_block=1,
        heads=(1, 2, 3),
        attention=(False, True, True),
        cross_attention_dim=8,
        latent_channels=4,
    )
    sites = enumerate_sites(shape)
    down, middle = ["down_1_0", "down_2_0"], ["mid_0_0"]
    up = ["up_0_0", "up_0_1", "up_1_0", "up_1_1"]
    assert [site.key for site in sites] == [*down, *middle, *up]
    assert [site.level for site in sites] == [1, 2, 2, 2, 2, 1, 1]
    assert [site.channels for site in sites] == [64, 96, 96, 96, 96, 64, 64]


def test_stable_diffusion_has_sixteen_sites_where_comfyui_has_them():
    """ComfyUI's SD 1.5 has attention in input 1 2 4 5 7 8, the middle, and output 3 .. 11."""
    blocks = [comfy_block(site, SD15_UNET) for site in enumerate_sites(SD15_UNET)]
    inputs = [("input", number, 0) for number in (1, 2, 4, 5, 7, 8)]
    outputs = [("output", number, 0) for number in range(3, 12)]
    assert blocks == [*inputs, ("middle", 0, 0), *outputs]


def test_residuals_go_to_the_last_block_of_each_level():
    assert [residual_block(level, SD15_UNET) for level in range(4)] == [
        ("input", 2),
        ("input", 5),
        ("input", 8),
        ("input", 11),
    ]
    assert [residual_block(level, TINY_UNET)[1] for level in range(3)] == [1, 3, 5]


def test_level_sizes_round_halves_up():
    assert level_sizes(32, 22, TINY_UNET) == ((32, 22), (16, 11), (8, 6))


def test_keys_are_unique_and_fit_state_dicts():
    keys = [site.key for site in enumerate_sites(SD15_UNET)]
    assert len(set(keys)) == len(keys) == 16
    assert not any("." in key for key in keys)


def test_a_level_without_attention_has_no_sites_but_the_middle_has():
    shape = UNetShape(
        block_out_channels=(32,),
        layers_per_block=2,
        heads=(2,),
        attention=(False,),
        cross_attention_dim=8,
        latent_channels=4,
    )
    assert [site.key for site in enumerate_sites(shape)] == ["mid_0_0"]
