import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from posexfer_core.diffusion.clip import CLIP_MEAN, CLIP_STD, clip_hidden_states


def vision_model() -> CLIPVisionModel:
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    return CLIPVisionModel(config).eval()


@torch.no_grad()
def test_hidden_states_are_those_before_the_last_layer():
    model = vision_model()
    image = torch.rand(2, 3, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mean, std = (torch.tensor(values)[:, None, None] for values in (CLIP_MEAN, CLIP_STD))
    expected = model((image / 2 + 0.5 - mean) / std, output_hidden_states=True).hidden_states
    assert len(expected) == 3  # embeddings, then one per layer
    torch.testing.assert_close(clip_hidden_states(model, image), expected[1])


@torch.no_grad()
def test_tall_images_are_padded_at_the_sides_with_the_mean_colour():
    model = vision_model()
    seen = []
    model.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs["pixel_values"]), with_kwargs=True
    )
    hidden = clip_hidden_states(model, torch.ones(1, 3, 56, 40))
    assert hidden.shape == (1, 5, 16)
    (pixels,) = seen
    assert not pixels[..., :4].any() and not pixels[..., -4:].any()
    white = (1.0 - torch.tensor(CLIP_MEAN)) / torch.tensor(CLIP_STD)
    torch.testing.assert_close(pixels[0, :, 10, 14], white)
