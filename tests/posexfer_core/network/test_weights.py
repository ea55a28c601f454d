"""Files of the network; what every weights file has in common is in files/test_weights.py."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from posexfer_core.errors import CheckpointError, ConfigError
from posexfer_core.files.weights import open_tensors, read_header
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.config import Ablation
from posexfer_core.network.weights import (
    ADAPTER,
    AUTOENCODER,
    BUNDLE,
    BUNDLED_WEIGHTS,
    load_bundle,
    save_bundle,
)

UNET = {"sample_size": [6, 5], "layers_per_block": 1}


@pytest.fixture
def bundle_path(tmp_path, toy_network):
    path = tmp_path / "toy.safetensors"
    save_bundle(
        path,
        toy_network(),
        unet_config=UNET,
        unet_state={"conv_in.weight": torch.ones(2, 3)},
        autoencoder=PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1)),
        recipe={"steps": 12, "scores": {"psnr_db": 21.5}},
        dtype=None,
    )
    return path


def test_a_bundle_comes_back_whole(bundle_path, toy_network, toy_inputs):
    bundle = load_bundle(bundle_path)
    assert bundle.network.config == toy_network().config
    ours, theirs = bundle.network.state_dict(), toy_network().state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert bundle.unet_config == UNET
    assert bundle.unet_state is not None
    assert torch.equal(bundle.unet_state["conv_in.weight"], torch.ones(2, 3))
    assert bundle.autoencoder is not None and bundle.autoencoder.config.latent_channels == 4
    assert not bundle.network.training and not bundle.autoencoder.training
    bundle.network.condition(toy_inputs())


def test_the_header_tells_what_the_file_is(bundle_path):
    header = read_header(bundle_path)
    assert (header.format, header.version) == (BUNDLE, "2")
    assert header.config.keys() == {"network", "unet", "autoencoder"}
    assert header.config["network"]["token_width"] == 24
    assert header.config["unet"] == UNET
    assert header.recipe == {"steps": 12, "scores": {"psnr_db": 21.5}}


def test_an_adapter_has_neither_unet_nor_autoencoder(tmp_path, toy_network):
    path = tmp_path / "adapter.safetensors"
    save_bundle(path, toy_network(encoder="clip"))
    bundle = load_bundle(path)
    assert bundle.header.format == ADAPTER
    assert bundle.unet_config is bundle.unet_state is bundle.autoencoder is None
    assert bundle.network.config.encoder == "clip"


def test_an_adapter_is_sampled_by_its_bases_schedule(tmp_path, toy_network):
    network = toy_network(prior_head=False)
    network.config = replace(network.config, zero_terminal_snr=True)
    with pytest.raises(ConfigError, match="cannot have zero_terminal_snr"):
        save_bundle(tmp_path / "adapter.safetensors", network)


def test_half_precision_halves_the_file_and_loads_as_float(bundle_path, tmp_path, toy_network):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_bundle(whole, toy_network(), dtype=None)
    save_bundle(half, toy_network())
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = load_bundle(half).network.null_identity
    assert loaded.dtype == torch.float32
    torch.testing.assert_close(loaded, toy_network().null_identity, rtol=1e-3, atol=1e-4)


def test_a_unet_is_stored_with_its_config(tmp_path, toy_network):
    with pytest.raises(ConfigError, match="both or neither"):
        save_bundle(tmp_path / "x.safetensors", toy_network(), unet_config=UNET)


def test_a_bundle_without_its_unet_is_told(bundle_path):
    with open_tensors(bundle_path) as file:
        metadata = file.metadata()
    tensors = {k: v for k, v in load_file(bundle_path).items() if not k.startswith("unet.")}
    config = json.loads(metadata["config"])
    del config["unet"]
    save_file(tensors, bundle_path, metadata | {"config": json.dumps(config)})
    with pytest.raises(CheckpointError, match=r"is a 'posexfer-bundle' of \['autoencoder', 'netw"):
        load_bundle(bundle_path)


def test_an_autoencoder_alone_comes_back_exactly(tmp_path, bundle_path):
    path = tmp_path / "autoencoder.safetensors"
    autoencoder = PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1))
    AUTOENCODER.save(path, autoencoder, recipe={"psnr_db": 30.5})
    loaded, recipe = AUTOENCODER.load(path)
    theirs = autoencoder.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in loaded.state_dict().items())
    assert recipe == {"psnr_db": 30.5}
    with pytest.raises(CheckpointError, match="autoencoder alone"):
        AUTOENCODER.load(bundle_path)
    with pytest.raises(CheckpointError, match="does not hold pose-transfer weights"):
        load_bundle(path)


VERSION_1_TENSORS = {
    "feature_lifting.mlp_med.0.": "lift.inner.0.",
    "feature_lifting.mlp_med.2.": "lift.inner_out.",
    "feature_lifting.mlp_3d.0.": "lift.outer.0.",
    "feature_lifting.mlp_3d.2.": "lift.outer_out.",
    "feature_lifting.norm.": "lift.norm.",
    "control.embedding.f_proj.": "control.embedding.place.",
    "control.embedding.canonical_proj.": "control.embedding.body.",
    "control.blocks.0.phi_q.": "control.blocks.0.to_query.",
    "control.blocks.0.phi_k.": "control.blocks.0.to_key.",
    "control.blocks.0.phi_v.": "control.blocks.0.to_value.",
    "prior.from_warp.": "prior.from_draft.",
    "prior.head.to_mean_std.": "prior.foretell.correct.",
    "prior.head.from_mean_std.": "prior.foretell.tell.",
    "prior.head.": "prior.foretell.",
}
"""Version 2 to version 1, written out by hand."""
VERSION_1_SWITCHES = {
    "anchored": True,
    "decoupled": False,
    "prior_2d": True,
    "control_3d": True,
    "warp": True,
    "maps": ["mask", "warp"],
    "z_mode": "zero",
}
VERSION_1_SAMPLING = {"temperature": 0.5, "guidance_pose": 2.0, "guidance_identity": 3.0}


def old_name(name):
    """Name a tensor as version 1 did."""
    for new, old in VERSION_1_TENSORS.items():
        if name.startswith(new):
            return old + name.removeprefix(new)
    return name


@pytest.mark.parametrize("adapter", [False, True])
def test_a_file_of_version_1_loads_as_its_twin_of_version_2(tmp_path, toy_network, adapter):
    network = toy_network(decoupled=False, maps=("mask", "warp"), z_mode="zero")
    state = network.state_dict()
    assert all(any(name.startswith(new) for name in state) for new in VERSION_1_TENSORS)
    config = asdict(network.config)
    del config["ablation"], config["sampling"]
    unet = None if adapter else UNET
    metadata = {
        "format": ADAPTER if adapter else BUNDLE,
        "version": "1",
        "config": json.dumps(
            {
                "network": config | VERSION_1_SWITCHES | VERSION_1_SAMPLING,
                "unet": unet,
                "autoencoder": None,
            }
        ),
        "recipe": '{"steps": 3}',
    }
    tensors = {f"network.{old_name(name)}": tensor for name, tensor in state.items()}
    if not adapter:
        tensors["unet.conv_in.weight"] = torch.ones(2, 3)
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    save_file(tensors, old, metadata)
    first = load_bundle(old)
    save_bundle(
        new,
        first.network,
        unet_config=first.unet_config,
        unet_state=first.unet_state,
        recipe=first.header.recipe,
        dtype=None,
    )
    twin = load_bundle(new)
    assert (first.header.version, twin.header.version) == ("1", "2")
    assert first.network.config == twin.network.config
    assert first.network.config.ablation == Ablation(
        decoupled=False, maps=("mask", "warp"), z_mode="zero"
    )
    assert asdict(first.network.config.sampling) == VERSION_1_SAMPLING
    assert (twin.unet_config, twin.header.recipe) == (unet, {"steps": 3})
    for name, tensor in state.items():
        assert torch.equal(first.network.state_dict()[name], tensor), name
        assert torch.equal(twin.network.state_dict()[name], tensor), name


def test_the_weights_that_ship_are_of_version_1_and_load():
    bundle = load_bundle(BUNDLED_WEIGHTS)
    assert bundle.header.version == "1" and bundle.header.format == BUNDLE
    assert bundle.network.config.sampling.temperature == 0.25
    assert bundle.network.config.ablation == Ablation()
    assert bundle.autoencoder is not None and bundle.unet_state is not None
    assert bundle.header.recipe["config"]["run"]["steps"] == 2800
