from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from posexfer_core.diffusion.latents import decode_latents, encode_image
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder


@torch.no_grad()
def test_scaled_latents_come_back_unscaled():
    torch.manual_seed(0)
    vae: Any = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, scaling_factor=0.25).eval()
    image = torch.rand(1, 3, 16, 8) * 2 - 1
    latents = encode_image(vae, image)
    torch.testing.assert_close(latents, 0.25 * vae.encode(image).latent_dist.mean)
    expected = vae.decode(latents / 0.25).sample.clamp(-1, 1)
    torch.testing.assert_close(decode_latents(vae, latents), expected)


@torch.no_grad()
@pytest.mark.parametrize("size", [(32, 16), (40, 24)])
def test_our_autoencoder_is_used_as_it_is(generator, size):
    vae = PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1))
    image = torch.rand(2, 3, *size, generator=generator)
    assert torch.equal(encode_image(vae, image), vae.encode(image))
    latents = torch.randn(2, 4, size[0] // 8, size[1] // 8, generator=generator)
    assert decode_latents(vae, 100.0 * latents).abs().max() <= 1.0
