"""What the SD 1.5 family sees of the source is the same through the host's CLIP as in training."""

import json

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from posexfer_core.diffusion.clip import clip_hidden_states

SETTINGS = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
    "hidden_act": "quick_gelu",
    "projection_dim": 16,
}


@pytest.fixture(scope="module")
def clips(host, tmp_path_factory):
    """One small CLIP of random weights, as transformers has it and as the host has it."""
    from comfy.clip_vision import ClipVisionModel

    torch.manual_seed(4)
    ours = CLIPVisionModelWithProjection(CLIPVisionConfig(**SETTINGS)).eval()
    ours = ours.half().float()  # the host keeps CLIP in half precision
    path = tmp_path_factory.mktemp("clip") / "config.json"
    described = {**SETTINGS, "model_type": "clip_vision_model", "num_channels": 3}
    path.write_text(json.dumps(described))
    theirs = ClipVisionModel(path)
    missing, unexpected = theirs.load_sd(ours.state_dict())
    assert not missing and all("position_ids" in name for name in unexpected)
    return ours, theirs


def both(pack, clips, image):
    ours, theirs = clips
    with torch.no_grad():
        found = pack.module("nodes.host.condition_request").clip_hidden(theirs, image)
        return found, clip_hidden_states(ours, image)


def test_a_image_of_clips_own_size_is_seen_alike(pack, clips, generator):
    levels = torch.randint(0, 256, (2, 3, 56, 56), generator=generator)
    found, expected = both(pack, clips, levels / 127.5 - 1.0)
    assert found.shape == (2, 17, 32)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0.0)


@pytest.mark.parametrize("size", [(160, 110), (90, 175)])
def test_other_images_are_padded_alike_and_never_stretched(pack, clips, generator, size):
    coarse = torch.rand(1, 3, 6, 4, generator=generator) * 1.8 - 0.9
    image = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
    found, expected = both(pack, clips, image)
    stretched = torch.nn.functional.interpolate(image, size=(56, 56), mode="bilinear")
    off, off_stretched = (
        (one - expected).norm() for one in (found, both(pack, clips, stretched)[1])
    )
    assert off < 0.05 * expected.norm()  # the host rounds to 8 bits
    assert off < 0.1 * off_stretched
