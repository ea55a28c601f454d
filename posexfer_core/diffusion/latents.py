"""Images to latents and back, through our autoencoder or either of diffusers'."""

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from jaxtyping import Float
from torch import Tensor

from ..network.autoencoder import PatchAutoencoder

Autoencoder = PatchAutoencoder | AutoencoderKL | AutoencoderTiny


def encode_image(
    vae: Autoencoder, image: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch channels latent_height latent_width"]:
    """Carry images in [-1, 1] to the latents that the UNet denoises, of about unit variance.

    Of a distribution (AutoencoderKL) the mode is taken: conditions are not drawn at random.
    """
    image = image.to(next(vae.parameters()).dtype)
    if isinstance(vae, PatchAutoencoder):
        return vae.encode(image)
    if isinstance(vae, AutoencoderTiny):
        return vae.encode(image).latents * vae.config["scaling_factor"]  # pyright: ignore
    return vae.encode(image).latent_dist.mode() * vae.config["scaling_factor"]  # pyright: ignore


def decode_latents(
    vae: Autoencoder, latents: Float[Tensor, "batch channels latent_height latent_width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Carry latents back to images, cut off at [-1, 1]."""
    latents = latents.to(next(vae.parameters()).dtype)
    if isinstance(vae, PatchAutoencoder):
        return vae.decode(latents).clamp(-1.0, 1.0)
    latents = latents / vae.config["scaling_factor"]
    return vae.decode(latents, return_dict=False)[0].clamp(-1.0, 1.0)  # pyright: ignore
