"""What a pose-transfer network is made of: its sizes, its ablation switches, its usual sampling."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ConfigError
from .sites import SD15_UNET, SDXL_UNET, TINY_UNET, UNetShape

MAP_CHANNELS = {
    "mask": 1,
    "depth": 1,
    "normal": 3,
    "canonical": 3,
    "skeleton": 3,
    "warp": 5,
    "plate": 3,
    "carried": 4,
}
"""Channels of each group of maps that the 2D prior can read, in this order. The plate, the source
without its person, is of no target: it may be given where no map of the target is. What is carried
is computed by the network from points, see `colour_carrier`."""
USUAL_MAPS = ("mask", "depth", "normal", "canonical", "skeleton", "warp")
"""Groups that are read unless told otherwise, as the bundled weights do."""
BODY_VECTOR = 24 * 6 + 10 + 3
"""Numbers of a body as one vector: rotations as two columns each, betas, and the camera."""

LATENT_STRIDE = 8
"""Pixels of the image to one latent, along each side."""

ADAPTER_WIDTHS = (256, 384, 512, 512)
"""Channels of the 2D prior at each level of a UNet from elsewhere."""
SD15_LATENT_SCALE, SDXL_LATENT_SCALE = 0.18215, 0.13025
"""`scaling_factor` of the VAEs of both families."""


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """Switches that take parts away; by default everything is there."""

    decoupled: bool = True
    """Off, identity and pose tokens share one cross-attention."""
    prior_2d: bool = True
    """Off, there are no residuals."""
    control_3d: bool = True
    """Off, there are no pose tokens."""
    warp: bool = True
    """Off, the 2D prior never sees the source's colours."""
    prior_head: bool = True
    """Off, the UNet predicts the whole velocity, without a `LatentPrior`; off for UNets from
    elsewhere, which are not trained around one."""
    maps: tuple[str, ...] = USUAL_MAPS
    """Groups of maps that the 2D prior reads; 2D systems have skeleton and mask only."""
    z_mode: Literal["root", "camera", "zero"] = "root"
    """Depth behind the pelvis, behind the camera (which the caller gives), or none."""

    def __post_init__(self) -> None:
        """Refuse settings that there are not."""
        if self.z_mode not in ("root", "camera", "zero"):
            raise ConfigError(f"z_mode must be 'root', 'camera' or 'zero', got {self.z_mode!r}.")
        if unknown := [name for name in self.maps if name not in MAP_CHANNELS]:
            raise ConfigError(f"Unknown maps {unknown}; there are {list(MAP_CHANNELS)}.")

    @property
    def map_groups(self) -> tuple[str, ...]:
        """Name the groups of maps that the 2D prior reads, in a fixed order."""
        return tuple(
            name for name in MAP_CHANNELS if name in self.maps and (self.warp or name != "warp")
        )


@dataclass(frozen=True, kw_only=True)
class SamplingDefaults:
    """How a network is usually sampled, chosen by measurement."""

    temperature: float = 1.0
    """Scale of the prior head's standard deviation. At 1 results vary as the training images did;
    towards 0 they tend to its mean, which a UNet of little training should keep to."""
    guidance_pose: float = 1.0
    """Scale of guidance by the pose. With a prior head none is needed: scales above 1 push the
    result away from its mean."""
    guidance_identity: float = 1.0
    """Scale of guidance by the identity, likewise."""

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if not 0.0 <= self.temperature <= 1.0:
            raise ConfigError(f"temperature must be from 0 to 1, got {self.temperature}.")
        if min(self.guidance_pose, self.guidance_identity) < 0.0:
            raise ConfigError(f"Guidance scales must be 0 or more, got {self}.")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Architecture of a `PoseTransferNetwork`; the defaults are the `tiny` preset's.

    That is the bundled network, for images of about 256x176 on a CPU.
    """

    encoder: Literal["conv", "clip"] = "conv"
    """Which appearance encoder: trained convolutions, or frozen CLIP states with VAE latents."""
    token_width: int = 192
    """Width C of identity and pose tokens."""
    encoder_widths: tuple[int, int, int] = (64, 128, 192)
    """Channels of the `conv` encoder at 1/4, 1/8 and 1/16 of the image."""
    encoder_blocks: tuple[int, int, int] = (1, 1, 2)
    """Residual blocks of the `conv` encoder at each of them."""
    clip_width: int = 1024
    """Width of the hidden states that the `clip` encoder is given (ViT-L/14: 1024)."""
    points: int = 512
    """Body points N, hence pose tokens."""
    position_bands: int = 6
    """Octaves of the Fourier features of (u, v, z); 6 tell apart 1/32 of the image."""
    canonical_bands: int = 4
    """Octaves of the Fourier features of a place on the rest body."""
    control_blocks: int = 2
    """Attention blocks of the 3D control guidance."""
    control_heads: int = 6
    """Heads of each of them."""
    geometric_logits: bool = False
    """Put the distance in the image and the depth of points into the logits of the attention to
    pose tokens, in the place of Fourier features of positions."""
    depth_logits: bool = True
    """Off, geometric logits know distances alone."""
    rest_correspondence: bool = False
    """Start the attention from points to source tokens at the same place of the rest body."""
    point_normals: bool = False
    """Embed the surface normals of the points, too."""
    pose_from: Literal["points", "vector"] = "points"
    """Pose tokens: one for every body point, or a single one of the body's parameters."""
    token_stride: int = 16
    """Pixels of the image to one token of the `conv` encoder, along each side: 16 or 8."""
    prior_widths: tuple[int, ...] = (96, 128, 192)
    """Channels of the 2D prior at each level of the UNet."""
    prior_blocks: int = 2
    """Residual blocks of the 2D prior at each level."""
    unet: UNetShape = field(default=TINY_UNET)
    """The UNet that the network sits in."""
    latent_scale: float = 1.0
    """What latents of a base's VAE are multiplied by for its UNet; 1 for our autoencoder's."""
    zero_terminal_snr: bool = False
    """The noise schedule of the UNet that is trained along ends without any signal, so that very
    dark and very bright images can be drawn; for UNets that predict v, without a prior head."""
    ablation: Ablation = field(default_factory=Ablation)
    """Which parts are taken away."""
    sampling: SamplingDefaults = field(default_factory=SamplingDefaults)
    """How it is usually sampled."""

    def __post_init__(self) -> None:
        """Refuse settings that make no network."""
        if self.encoder not in ("conv", "clip"):
            raise ConfigError(f"encoder must be 'conv' or 'clip', got {self.encoder!r}.")
        counts = (self.points, self.position_bands, self.canonical_bands, self.control_blocks)
        if min(*counts, *self.encoder_blocks, self.prior_blocks, self.clip_width) < 1:
            raise ConfigError(f"Counts must be at least 1, got {self}.")
        if self.control_heads < 1 or self.token_width % self.control_heads:
            raise ConfigError(
                f"token_width {self.token_width} cannot be split over "
                f"{self.control_heads} control heads."
            )
        if self.token_stride not in (8, 16) or self.pose_from not in ("points", "vector"):
            raise ConfigError(
                f"token_stride must be 8 or 16, got {self.token_stride!r}; pose_from must be "
                f"'points' or 'vector', got {self.pose_from!r}."
            )
        if self.geometric_logits and (self.pose_from == "vector" or not self.ablation.decoupled):
            raise ConfigError(
                "geometric_logits needs points in an attention of their own; it was set together "
                "with pose_from='vector' or without ablation.decoupled. Turn one of them off."
            )
        if odd := [w for w in (*self.encoder_widths, *self.prior_widths) if w < 8 or w % 8]:
            raise ConfigError(f"Convolution widths must be multiples of 8, got {odd}.")
        if self.zero_terminal_snr and self.ablation.prior_head:
            raise ConfigError(
                "zero_terminal_snr is set, and the network has a prior head.\n"
                "Expected one of them: a prior head has a mean of its own to start from.\n"
                "Set prior_head = false under [model.ablation], or leave zero_terminal_snr out."
            )
        if len(self.prior_widths) != len(self.unet.block_out_channels):
            raise ConfigError(
                f"prior_widths has {len(self.prior_widths)} levels, the UNet "
                f"{len(self.unet.block_out_channels)}."
            )

    @property
    def latent_channels(self) -> int:
        """Count the channels of the latents."""
        return self.unet.latent_channels

    @classmethod
    def over(cls, unet: UNetShape, **changes: Any) -> "NetworkConfig":
        """Describe the adapter over a UNet from elsewhere."""
        preset: dict[str, Any] = {
            "encoder": "clip",
            "token_width": 768,
            "control_heads": 12,
            "prior_widths": ADAPTER_WIDTHS[: len(unet.block_out_channels)],
            "unet": unet,
            "ablation": Ablation(prior_head=False),
            "sampling": SamplingDefaults(guidance_pose=2.0, guidance_identity=1.5),
        }
        return cls(**(preset | changes))

    @classmethod
    def sd15(cls, **changes: Any) -> "NetworkConfig":
        """Describe the adapter over UNets of the Stable Diffusion 1.5 family."""
        return cls.over(SD15_UNET, **({"latent_scale": SD15_LATENT_SCALE} | changes))

    @classmethod
    def sdxl(cls, **changes: Any) -> "NetworkConfig":
        """Describe the adapter over UNets of the SDXL family."""
        return cls.over(SDXL_UNET, **({"latent_scale": SDXL_LATENT_SCALE} | changes))
