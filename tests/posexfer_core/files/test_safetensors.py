import pytest
import torch
from torch import nn

from posexfer_core.errors import CheckpointError
from posexfer_core.files.safetensors import fill, opened, parts_of, prefixed


def test_parts_are_what_was_prefixed(tmp_path):
    layer = nn.Linear(2, 3)
    parts = parts_of(tmp_path / "a", prefixed("layer", layer.state_dict(), torch.float16))
    other = nn.Linear(2, 3)
    fill(tmp_path / "a", other, parts["layer"])
    assert not other.training
    torch.testing.assert_close(other.weight, layer.weight.half().float())


def test_weights_too_large_for_half_precision_are_not_written():
    with pytest.raises(CheckpointError, match="not finite"):
        prefixed("a", {"weight": torch.tensor([1e9])}, torch.float16)


def test_a_stray_tensor_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="stray"):
        parts_of(tmp_path / "a", {"weight": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="no such file"):
        opened(tmp_path / "none.safetensors")
