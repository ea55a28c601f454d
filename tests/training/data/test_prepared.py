import pytest
import torch

from posexfer_core.errors import ConfigError
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.weights import AUTOENCODER
from training.data.prepared import PLANES, PreparedDataset, decode_planes, encode_planes, prepare
from training.data.shards import ShardDataset


@pytest.fixture
def autoencoder(tmp_path):
    path = tmp_path / "autoencoder.safetensors"
    AUTOENCODER.save(path, PatchAutoencoder(AutoencoderConfig(width=8, blocks=1)))
    return path


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


@pytest.mark.slow
def test_pairs_are_read_in_any_order(shards, autoencoder, tmp_path):
    config = NetworkConfig(points=16)
    data, folder = ShardDataset(shards), tmp_path / "prepared"
    prepare(data, autoencoder, folder, config, jitter=0.0)
    batch = PreparedDataset(data, folder).batch([4, 0])
    assert batch["planes"].shape == (2, sum(PLANES.values()), 64, 48)
    assert batch["points"].shape == (2, 16, 3)
    assert torch.equal(batch["image"][1], data.source_bytes(0))
    torch.testing.assert_close(batch["betas"][0], data.pair(4).source.betas[0, 0])


def test_work_with_other_settings_is_not_taken_for_ours(shards, autoencoder, tmp_path):
    data, folder = ShardDataset(shards), tmp_path / "prepared"
    config = NetworkConfig(points=16)
    prepare(data, autoencoder, folder, config, jitter=0.0)
    prepare(data, autoencoder, folder, config, jitter=0.0)  # all there: nothing to do
    with pytest.raises(ConfigError, match="another autoencoder, jitter, warp or choice of points"):
        prepare(data, autoencoder, folder, config, jitter=0.5)
