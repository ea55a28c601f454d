"""What a pose-transfer network is made of: its sizes, its parts, and the UNet it sits in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from ..errors import ConfigError

MAP_CHANNELS = {"mask": 1, "depth": 1, "normal": 3, "canonical": 3, "skeleton": 3, "warp": 5}
"""Channels of each group of target maps that the 2D prior can read, in this order."""

LATENT_STRIDE = 8
"""Pixels of the image to one latent, along each side."""


@dataclass(frozen=True, kw_only=True)
class UNetShape:
    """What must be known of a UNet to sit in it: the levels and where cross-attention is."""

    block_out_channels: tuple[int, ...]
    """Channels of each level, finest first."""
    layers_per_block: int
    """Residual blocks of a level on the way down; there is one more on the way up."""
    heads: tuple[int, ...]
    """Attention heads of each level; the middle has as many as the coarsest."""
    attention: tuple[bool, ...]
    """Which levels have cross-attention; the middle always has."""
    cross_attention_dim: int
    """Width of the base model's own (text) tokens."""
    latent_channels: int
    """Channels of the latents that are denoised."""
    sample_size: tuple[int, int] = (32, 22)
    """Usual latent height and width; others work too."""

    def __post_init__(self) -> None:
        """Refuse shapes that no UNet has."""
        levels = len(self.block_out_channels)
        if levels == 0 or len(self.heads) != levels or len(self.attention) != levels:
            raise ConfigError(
                "A UNet shape needs one entry per level in block_out_channels, heads and "
                f"attention, got {levels}, {len(self.heads)} and {len(self.attention)}."
            )
        if min(self.layers_per_block, self.cross_attention_dim, self.latent_channels) < 1:
            raise ConfigError(f"UNet sizes must be at least 1, got {self}.")
        for channels, heads in zip(self.block_out_channels, self.heads, strict=True):
            if heads < 1 or channels < 1 or channels % heads:
                raise ConfigError(f"{channels} channels cannot be split over {heads} heads.")

    def diffusers_config(self) -> dict[str, Any]:
        """Describe this UNet in the arguments of diffusers' `UNet2DConditionModel`.

        There `attention_head_dim` counts heads, whatever its name says.
        """
        kinds = ["CrossAttn" if cross else "" for cross in self.attention]
        return {
            "sample_size": list(self.sample_size),
            "in_channels": self.latent_channels,
            "out_channels": self.latent_channels,
            "down_block_types": [f"{kind}DownBlock2D" for kind in kinds],
            "mid_block_type": "UNetMidBlock2DCrossAttn",
            "up_block_types": [f"{kind}UpBlock2D" for kind in reversed(kinds)],
            "block_out_channels": list(self.block_out_channels),
            "layers_per_block": self.layers_per_block,
            "attention_head_dim": list(self.heads),
            "cross_attention_dim": self.cross_attention_dim,
            "use_linear_projection": False,
        }


TINY_UNET = UNetShape(
    block_out_channels=(128, 128, 256),
    layers_per_block=1,
    heads=(4, 4, 8),
    attention=(False, True, True),
    cross_attention_dim=64,
    latent_channels=16,
)
SD15_UNET = UNetShape(
    block_out_channels=(320, 640, 1280, 1280),
    layers_per_block=2,
    heads=(8, 8, 8, 8),
    attention=(True, True, True, False),
    cross_attention_dim=768,
    latent_channels=4,
    sample_size=(64, 64),
)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Sizes and switches of a `PoseTransferNetwork`; the defaults are the `tiny` preset."""

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
    prior_widths: tuple[int, ...] = (96, 128, 192)
    """Channels of the 2D prior at each level of the UNet."""
    prior_blocks: int = 2
    """Residual blocks of the 2D prior at each level."""
    maps: tuple[str, ...] = tuple(MAP_CHANNELS)
    """Groups of target maps that the 2D prior reads; 2D systems have skeleton and mask only."""
    unet: UNetShape = field(default=TINY_UNET)
    """The UNet that the network sits in."""
    anchored: bool = True
    """Whether the 2D prior foretells the latents and the UNet, which must be trained so, predicts
    the rest; off for UNets from elsewhere."""
    temperature: float = 1.0
    """Scale of the foretold spread when sampling. At 1 results vary as the training images did;
    towards 0 they tend to what is foretold, which a UNet of little training should keep to."""
    guidance_pose: float = 1.0
    """Usual scale of guidance by the pose, chosen by measurement. What is anchored needs none:
    scales above 1 push it away from what is foretold."""
    guidance_identity: float = 1.0
    """Usual scale of guidance by the identity, likewise."""
    decoupled: bool = True
    """Ablation: off, identity and pose tokens share one cross-attention."""
    prior_2d: bool = True
    """Ablation: off, there are no residuals."""
    control_3d: bool = True
    """Ablation: off, there are no pose tokens."""
    warp: bool = True
    """Ablation: off, the 2D prior never sees the source's colours."""
    z_mode: Literal["root", "camera", "zero", "shuffle"] = "root"
    """Ablation of depth: behind the pelvis, behind the camera, none, or another person's."""

    def __post_init__(self) -> None:
        """Refuse settings that make no network."""
        if self.encoder not in ("conv", "clip"):
            raise ConfigError(f"encoder must be 'conv' or 'clip', got {self.encoder!r}.")
        if self.z_mode not in ("root", "camera", "zero", "shuffle"):
            raise ConfigError(
                f"z_mode must be 'root', 'camera', 'zero' or 'shuffle', got {self.z_mode!r}."
            )
        if not 0.0 <= self.temperature <= 1.0:
            raise ConfigError(f"temperature must be from 0 to 1, got {self.temperature}.")
        if min(self.guidance_pose, self.guidance_identity) < 0.0:
            raise ConfigError(f"Guidance scales must be 0 or more, got {self}.")
        if unknown := [name for name in self.maps if name not in MAP_CHANNELS]:
            raise ConfigError(f"Unknown maps {unknown}; there are {list(MAP_CHANNELS)}.")
        counts = (self.points, self.position_bands, self.canonical_bands, self.control_blocks)
        if min(*counts, *self.encoder_blocks, self.prior_blocks, self.clip_width) < 1:
            raise ConfigError(f"Counts must be at least 1, got {self}.")
        if self.control_heads < 1 or self.token_width % self.control_heads:
            raise ConfigError(
                f"token_width {self.token_width} cannot be split over "
                f"{self.control_heads} control heads."
            )
        if odd := [w for w in (*self.encoder_widths, *self.prior_widths) if w < 8 or w % 8]:
            raise ConfigError(f"Convolution widths must be multiples of 8, got {odd}.")
        if len(self.prior_widths) != len(self.unet.block_out_channels):
            raise ConfigError(
                f"prior_widths has {len(self.prior_widths)} levels, the UNet "
                f"{len(self.unet.block_out_channels)}."
            )

    @property
    def map_groups(self) -> tuple[str, ...]:
        """Name the groups of maps that the 2D prior reads, in a fixed order."""
        return tuple(
            name for name in MAP_CHANNELS if name in self.maps and (self.warp or name != "warp")
        )

    @property
    def latent_channels(self) -> int:
        """Count the channels of the latents."""
        return self.unet.latent_channels

    @classmethod
    def tiny(cls, **changes: Any) -> "NetworkConfig":
        """Describe the bundled network, for images of about 256x176 on a CPU."""
        return cls(**changes)

    @classmethod
    def sd15(cls, **changes: Any) -> "NetworkConfig":
        """Describe the adapter over UNets of the Stable Diffusion 1.5 family."""
        preset: dict[str, Any] = {
            "encoder": "clip",
            "anchored": False,
            "guidance_pose": 2.0,
            "guidance_identity": 1.5,
            "token_width": 768,
            "control_heads": 12,
            "prior_widths": (256, 384, 512, 512),
            "unet": SD15_UNET,
        }
        return cls(**(preset | changes))

    def to_dict(self) -> dict[str, Any]:
        """Spell the config out in what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "NetworkConfig":
        """Read what `to_dict` wrote, through JSON or not.

        Raises:
            ConfigError: a name is unknown or a value cannot be.
        """
        values = _known_values(cls, raw)
        if "unet" in values and not isinstance(values["unet"], UNetShape):
            values["unet"] = _built(UNetShape, _known_values(UNetShape, values["unet"]))
        return _built(cls, values)


def _known_values(kind: type, raw: object) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{kind.__name__} must be a table of settings, got {raw!r}.")
    if unknown := raw.keys() - {field.name for field in fields(kind)}:
        raise ConfigError(
            f"{kind.__name__} has no {sorted(unknown)}. Was it written by a newer version?"
        )
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def _built(kind: type, values: dict[str, Any]) -> Any:
    try:
        return kind(**values)
    except TypeError as error:  # a missing or mistyped value
        raise ConfigError(f"{kind.__name__} does not hold together: {error}") from error
