"""A small 8x autoencoder: a linear patch transform each way, corrected by convolutions.

The linear part starts as a principal component analysis of 8x8 patches, so that training begins
where plain convolutional autoencoders arrive after hours; the corrections start at zero.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import ConfigError

PATCH = 8


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Sizes of a `PatchAutoencoder`."""

    latent_channels: int = 16
    """Channels of a latent; each stands for 8x8 pixels of 3 colours."""
    width: int = 32
    """Channels at the finest level of the corrections; doubled at each coarser one."""
    blocks: int = 2
    """Residual blocks at each level."""

    def __post_init__(self) -> None:
        """Refuse sizes that make no network."""
        if min(self.latent_channels, self.width, self.blocks) < 1:
            raise ConfigError(f"Autoencoder sizes must be at least 1, got {self}.")
        if self.width % 8:
            raise ConfigError(f"Autoencoder width must be a multiple of 8, got {self.width}.")


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return `x + conv(silu(conv(silu(x))))`."""
        return x + self.second(F.silu(self.first(F.silu(x))))


class PatchAutoencoder(nn.Module):
    """Carry images to latents of an eighth of their size and back.

    `encode(x) = A patches(x) + correction(x)` and `decode(z) = B z + correction(z)`, where A and B
    are 8x8 convolutions of stride 8. Any image size that is a multiple of 8 will do.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        channels, w, n = config.latent_channels, config.width, config.blocks
        self.analysis = nn.Conv2d(3, channels, PATCH, stride=PATCH)
        self.synthesis = nn.ConvTranspose2d(channels, 3, PATCH, stride=PATCH)
        self.encode_correction = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, 2 * w, 3, padding=1),
            *(ResidualBlock(2 * w) for _ in range(n)),
            nn.PixelUnshuffle(2),
            nn.Conv2d(8 * w, 4 * w, 1),
            *(ResidualBlock(4 * w) for _ in range(n)),
            nn.SiLU(),
            nn.Conv2d(4 * w, channels, 1),
        )
        self.decode_correction = nn.Sequential(
            nn.Conv2d(channels, 4 * w, 3, padding=1),
            *(ResidualBlock(4 * w) for _ in range(n)),
            nn.Conv2d(4 * w, 8 * w, 1),
            nn.PixelShuffle(2),
            *(ResidualBlock(2 * w) for _ in range(n)),
            nn.Conv2d(2 * w, 4 * w, 1),
            nn.PixelShuffle(2),
            *(ResidualBlock(w) for _ in range(n)),
            nn.SiLU(),
            nn.Conv2d(w, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )
        for last in (self.encode_correction[-1], self.decode_correction[-2]):
            assert isinstance(last, nn.Conv2d)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def encode(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch latent latent_height latent_width"]:
        """Carry images in [-1, 1] to latents of about unit variance."""
        return self.analysis(image) + self.encode_correction(image)

    def decode(
        self, latents: Float[Tensor, "batch latent latent_height latent_width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Carry latents back to images; values may leave [-1, 1] a little."""
        return self.synthesis(latents) + self.decode_correction(latents)

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Encode and decode."""
        return self.decode(self.encode(image))


@torch.no_grad()
def start_from_principal_components(
    autoencoder: PatchAutoencoder, images: Float[Tensor, "batch 3 height width"]
) -> None:
    """Set the linear parts to the principal components of the images' 8x8 patches.

    Component k of variance v_k is scaled to a standard deviation proportional to v_k^(1/4), and all
    together to mean variance 1: half-way between whitening, which makes faint detail as loud as
    brightness, and none, which leaves it below the noise of the first sampling step.

    Args:
        autoencoder: changed in place; its corrections are left as they are.
        images: in [-1, 1]; a few hundred are enough.
    """
    patches = rearrange(images, "b c (h p) (w q) -> (b h w) (c p q)", p=PATCH, q=PATCH).double()
    mean = patches.mean(0)
    variance, vectors = torch.linalg.eigh(torch.cov(patches.T))
    count = autoencoder.config.latent_channels
    variance, vectors = variance.flip(0)[:count].clamp(min=1e-8), vectors.flip(1)[:, :count]
    scale = variance**0.25 / variance**0.5
    scale = scale / (variance * scale**2).mean().sqrt()
    analysis = (vectors * scale).T
    synthesis = (vectors / scale).T
    shape = autoencoder.analysis.weight.shape
    autoencoder.analysis.weight.copy_(analysis.reshape(shape))
    autoencoder.synthesis.weight.copy_(synthesis.reshape(shape))
    assert autoencoder.analysis.bias is not None and autoencoder.synthesis.bias is not None
    autoencoder.analysis.bias.copy_(-analysis @ mean)
    autoencoder.synthesis.bias.copy_(mean.reshape(3, -1).mean(1))
    # the mean patch is all but flat; what is not is left to the corrections
