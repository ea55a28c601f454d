import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from posexfer_core.errors import CheckpointError, ConfigError, OutputError
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.weights import (
    ADAPTER,
    BUNDLE,
    add_to_recipe,
    load_autoencoder,
    load_bundle,
    read_header,
    save_autoencoder,
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


def rewrite(path, *, change_tensors=None, **metadata):
    """Write the file again with other tensors, or another entry in its header."""
    with safe_open(path, framework="pt") as file:
        old = file.metadata()
    tensors = load_file(path)
    if change_tensors is not None:
        change_tensors(tensors)
    save_file(tensors, path, old | metadata)


def changed_config(path, **changes):
    with safe_open(path, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
    config["network"] |= changes
    return json.dumps(config)


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
    assert (header.format, header.version) == (BUNDLE, "1")
    assert header.network["token_width"] == 24
    assert header.unet == UNET
    assert header.recipe == {"steps": 12, "scores": {"psnr_db": 21.5}}


def test_an_adapter_has_neither_unet_nor_autoencoder(tmp_path, toy_network):
    path = tmp_path / "adapter.safetensors"
    save_bundle(path, toy_network(encoder="clip"))
    bundle = load_bundle(path)
    assert bundle.header.format == ADAPTER
    assert bundle.unet_config is bundle.unet_state is bundle.autoencoder is None
    assert bundle.network.config.encoder == "clip"


def test_half_precision_halves_the_file_and_loads_as_float(bundle_path, tmp_path, toy_network):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_bundle(whole, toy_network(), dtype=None)
    save_bundle(half, toy_network())
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = load_bundle(half).network.null_identity
    assert loaded.dtype == torch.float32
    torch.testing.assert_close(loaded, toy_network().null_identity, rtol=1e-3, atol=1e-4)


def test_weights_that_are_not_finite_are_not_stored(tmp_path, toy_network):
    network = toy_network()
    network.null_identity.data[0] = 1e6  # too large for half precision
    with pytest.raises(CheckpointError, match="null_identity"):
        save_bundle(tmp_path / "large.safetensors", network)
    assert list(tmp_path.iterdir()) == []


def test_a_unet_is_stored_with_its_config(tmp_path, toy_network):
    with pytest.raises(ConfigError, match="both or neither"):
        save_bundle(tmp_path / "x.safetensors", toy_network(), unet_config=UNET)


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path, toy_network):
    with pytest.raises(OutputError, match="cannot be written"):
        save_bundle(tmp_path / "missing" / "x.safetensors", toy_network())
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        save_bundle(tmp_path / "folder.safetensors", toy_network())
    assert [path.name for path in tmp_path.iterdir()] == ["folder.safetensors"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.safetensors.*no such file"):
        load_bundle(tmp_path / "gone.safetensors")


def test_a_folder_is_not_a_weights_file(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_header(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_truncated_file_is_told(bundle_path, share):
    content = bundle_path.read_bytes()
    bundle_path.write_bytes(content[: int(share * len(content))])
    for read in (load_bundle, read_header):
        with pytest.raises(CheckpointError, match="cannot be read"):
            read(bundle_path)


def test_something_else_is_told(tmp_path):
    path = tmp_path / "lora.safetensors"
    save_file({"lora.weight": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match="does not hold pose-transfer weights"):
        load_bundle(path)
    path.write_text("not weights at all")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_bundle(path)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"format": "other"}, "format='other'"),
        ({"version": "99"}, "version '99'"),
        ({"config": "{"}, "damaged"),
        ({"config": "[]"}, "damaged"),
        ({"config": '{"network": {}, "unet": null, "autoencoder": null}'}, "tells otherwise"),
        ({"recipe": "none"}, "damaged"),
    ],
)
def test_a_damaged_header_is_told(bundle_path, metadata, words):
    rewrite(bundle_path, **metadata)
    with pytest.raises(CheckpointError, match=words):
        read_header(bundle_path)


@pytest.mark.parametrize("changes", [{"novelty": 1}, {"token_width": "wide"}, {"z_mode": "none"}])
def test_unknown_settings_are_told(bundle_path, changes):
    rewrite(bundle_path, config=changed_config(bundle_path, **changes))
    with pytest.raises(CheckpointError, match="config that cannot be used"):
        load_bundle(bundle_path)


def drop_one(tensors):
    del tensors["network.null_identity"]


def reshape_one(tensors):
    tensors["network.null_identity"] = torch.zeros(3)


def add_one(tensors):
    tensors["network.extra"] = torch.zeros(3)


def drop_part(tensors):
    for name in [name for name in tensors if name.startswith("autoencoder.")]:
        del tensors[name]


def add_part(tensors):
    tensors["vae.weight"] = torch.zeros(3)


def spoil_one(tensors):
    name = next(name for name in tensors if name.endswith("null_identity"))
    tensors[name] = torch.full_like(tensors[name], torch.nan)


def add_stray(tensors):
    tensors["weight"] = torch.zeros(3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_one, "null_identity"),
        (reshape_one, "null_identity"),
        (add_one, "extra"),
        (drop_part, "its header tells of"),
        (add_part, "vae"),
        (add_stray, "stray tensor"),
        (spoil_one, "null_identity holds numbers that are NaN"),
    ],
)
def test_tensors_that_do_not_fit_are_named(bundle_path, change, words):
    rewrite(bundle_path, change_tensors=change)
    with pytest.raises(CheckpointError, match=words):
        load_bundle(bundle_path)


def test_an_autoencoder_alone_comes_back_exactly(tmp_path, bundle_path):
    path = tmp_path / "autoencoder.safetensors"
    autoencoder = PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1))
    save_autoencoder(path, autoencoder, recipe={"psnr_db": 30.5})
    loaded, recipe = load_autoencoder(path)
    theirs = autoencoder.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in loaded.state_dict().items())
    assert recipe == {"psnr_db": 30.5}
    with pytest.raises(CheckpointError, match="autoencoder alone"):
        load_autoencoder(bundle_path)
    with pytest.raises(CheckpointError, match="does not hold pose-transfer weights"):
        load_bundle(path)


def test_scores_are_added_to_the_recipe_and_weights_stay(bundle_path):
    before = load_bundle(bundle_path)
    add_to_recipe(bundle_path, scores={"model": {"psnr": 23.5}})
    after = load_bundle(bundle_path)
    assert after.header.recipe == before.header.recipe | {"scores": {"model": {"psnr": 23.5}}}
    for name, tensor in before.network.state_dict().items():
        assert torch.equal(after.network.state_dict()[name], tensor)
