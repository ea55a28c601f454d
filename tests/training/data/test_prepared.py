from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.errors import CheckpointError, ConfigError
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.weights import AUTOENCODER, save_bundle
from tests.posexfer_core.diffusion.toys import toy_network
from tests.small_bases import write_sd15
from tests.small_shapes import SD15_SHAPED
from training.data.encoders import EncoderFiles
from training.data.prepared import PLANES, PreparedDataset, decode_planes, encode_planes, prepare
from training.data.shards import ShardDataset

CONFIG = NetworkConfig(points=16)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("autoencoder") / "autoencoder.safetensors"
    AUTOENCODER.save(path, PatchAutoencoder(AutoencoderConfig(width=8, blocks=1)))
    return EncoderFiles(autoencoder=path, base=None)


@pytest.fixture(scope="module")
def prepared(few_shards, autoencoder, tmp_path_factory):
    """Pairs and the folder where they were prepared."""
    data, folder = ShardDataset(few_shards), tmp_path_factory.mktemp("pairs") / "prepared"
    prepare(data, autoencoder, folder, CONFIG, jitter=0.0)
    return data, folder


def test_maps_survive_as_bytes(generator):
    maps = {
        name: torch.rand(2, channels, 4, 4, generator=generator) * 2 - 1
        for name, channels in PLANES.items()
    }
    maps["mask"] = (maps["mask"] > 0).float()
    decoded = decode_planes(encode_planes(maps))
    assert torch.equal(decoded["mask"], maps["mask"])  # 0 and 1 are exact
    for name, wanted in maps.items():
        torch.testing.assert_close(decoded[name], wanted, atol=0.5 * 1.5 / 127 + 1e-6, rtol=0)


def test_pairs_are_read_in_any_order(prepared):
    data, folder = prepared
    batch = PreparedDataset(data, folder).batch([2, 1])
    assert batch["planes"].shape == (2, sum(PLANES.values()), 64, 48)
    assert batch["points"].shape == (2, 16, 3)
    assert torch.equal(batch["image"][1], data.source_bytes(1))
    torch.testing.assert_close(batch["betas"][0], data.pair(2).source.betas[0, 0])


def test_work_with_other_settings_is_not_taken_for_ours(prepared, autoencoder):
    data, folder = prepared
    prepare(data, autoencoder, folder, CONFIG, jitter=0.0)  # all there: nothing to do
    with pytest.raises(ConfigError, match="another autoencoder, jitter, warp or choice of points"):
        prepare(data, autoencoder, folder, CONFIG, jitter=0.5)


@pytest.mark.slow
def test_those_that_start_together_wait_for_the_one_that_prepares(prepared, autoencoder, tmp_path):
    """Locks are between open files, so that threads stand for processes."""
    data, folder = prepared[0], tmp_path / "prepared"
    with ThreadPoolExecutor(4) as pool:
        started = [
            pool.submit(prepare, data, autoencoder, folder, CONFIG, jitter=0.0) for _ in range(100)
        ]
    assert [one.result() for one in started] == [None] * 100
    found, wanted = (PreparedDataset(data, at).batch([0, 1, 2]) for at in (folder, prepared[1]))
    for name, values in wanted.items():
        assert torch.equal(found[name], values), name


def test_a_bundle_gives_its_autoencoder_and_the_same_stamp(prepared, autoencoder, tmp_path):
    data, folder = prepared
    own, _ = AUTOENCODER.load(autoencoder.autoencoder)
    bundle = tmp_path / "bundle.safetensors"
    save_bundle(bundle, toy_network(), autoencoder=own)  # at half precision, in another file
    in_bundle = EncoderFiles(autoencoder=bundle, base=None)
    prepare(data, in_bundle, folder, CONFIG, jitter=0.0)  # all there: nothing to do


def test_a_file_without_an_autoencoder_leaves_no_stamp(shards, tmp_path):
    adapter, folder = tmp_path / "adapter.safetensors", tmp_path / "prepared"
    save_bundle(adapter, toy_network())
    wrong = EncoderFiles(autoencoder=adapter, base=None)
    with pytest.raises(CheckpointError, match="no autoencoder") as caught:
        prepare(ShardDataset(shards), wrong, folder, CONFIG, jitter=0.0)
    assert len(str(caught.value).splitlines()) == 3
    assert not folder.exists()


@pytest.mark.slow
def test_what_the_clip_encoder_reads_is_kept(shards, tmp_path):
    base = BaseFiles(model=write_sd15(tmp_path / "base"))
    files = EncoderFiles(autoencoder=None, base=base, clip=True)
    config = NetworkConfig.over(SD15_SHAPED, points=16, clip_width=32)
    data, folder = ShardDataset(shards), tmp_path / "prepared"
    prepare(data, files, folder, config, jitter=0.0)
    batch = PreparedDataset(data, folder).batch([1])
    source, target = (
        image[None] for image in (data.pair(1).source_image, data.pair(1).target_image)
    )
    encoders = files.load(config)
    kept = {**encoders.source(source), "target_latents": encoders.latents(target)}
    assert kept["clip_hidden"].shape == (1, 5, 32) and kept["source_latents"].shape == (1, 4, 8, 6)
    for name, values in kept.items():
        torch.testing.assert_close(batch[name].float(), values, atol=2e-3, rtol=2e-3)


def test_latents_of_other_channels_are_refused(autoencoder):
    with pytest.raises(ConfigError, match="16 channels"):
        autoencoder.load(NetworkConfig.over(SD15_SHAPED, encoder="conv"))
