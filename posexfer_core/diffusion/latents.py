"""Pictures to latents and back, through our autoencoder or either of diffusers'."""

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from jaxtyping import Float
from torch import Tensor

from ..network.autoencoder import PatchAutoencoder

Autoencoder = PatchAutoencoder | AutoencoderKL | AutoencoderTiny


def encode_picture(
    vae: Autoencoder, picture: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch channels latent_height latent_width"]:
    """Carry pictures in [-1, 1] to the latents that the UNet denoises, of about unit variance.

    Of a distribution (AutoencoderKL) the mode is taken: conditions are not drawn at random.
    """
    picture = picture.to(next(vae.parameters()).dtype)
    if isinstance(vae, PatchAutoencoder):
        return vae.encode(picture)
    if isinstance(vae, AutoencoderTiny):
        return vae.encode(picture).latents * vae.config["scaling_factor"]  # pyright: ignore
    return vae.encode(picture).latent_dist.mode() * vae.config["scaling_factor"]  # pyright: ignore


def decode_latents(
    vae: Autoencoder, latents: Float[Tensor, "batch channels latent_height latent_width"]
) -> Float[Tensor, "batch 3 height width"]:
    """Carry latents back to pictures, cut off at [-1, 1]."""
    latents = latents.to(next(vae.parameters()).dtype)
    if isinstance(vae, PatchAutoencoder):
        return vae.decode(latents).clamp(-1.0, 1.0)
    latents = latents / vae.config["scaling_factor"]
    return vae.decode(latents, return_dict=False)[0].clamp(-1.0, 1.0)  # pyright: ignore
