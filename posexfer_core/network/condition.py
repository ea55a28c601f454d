"""What the network reads, and what it computes for the UNet; nothing depends on the timestep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigError, ImageError
from .config import LATENT_STRIDE, MAP_CHANNELS
from .latent_prior import LatentPrior


@dataclass(frozen=True, kw_only=True)
class ConditionInputs:
    """A source image and a target body, as tensors."""

    image: Float[Tensor, "batch 3 height width"]
    """The source image, in [-1, 1]."""
    source_maps: Float[Tensor, "batch 4 height width"]
    """Canonical xyz and mask of the source body; zeros where it is not known."""
    points: Float[Tensor, "batch points 3"]
    """(u, v, z) of the target's body points: NDC of the output image, metres behind the pelvis
    (behind the camera for `z_mode="camera"`)."""
    points_canonical: Float[Tensor, "batch points 3"]
    """Their places on the rest body, about [-1, 1]."""
    normals: Float[Tensor, "batch points 3"] | None = None
    """Outward unit normals of the target at its points, camera frame (`point_normals` only)."""
    body_vector: Float[Tensor, "batch numbers"] | None = None
    """The target's parameters as `BODY_VECTOR` numbers (`pose_from="vector"` only)."""
    maps: dict[str, Tensor] = field(default_factory=dict)
    """Maps of the target body, and the plate: (batch, `MAP_CHANNELS[name]`, height, width) each;
    any may be missing."""
    warp_latents: Float[Tensor, "batch latent latent_height latent_width"] | None = None
    """Latents of the warped image; they come and go with the map "warp"."""
    clip_hidden: Float[Tensor, "batch clip_tokens clip_width"] | None = None
    """CLIP's hidden states of the source image (the `clip` encoder only)."""
    source_latents: Float[Tensor, "batch latent latent_height latent_width"] | None = None
    """Latents of the source image (the `clip` encoder only)."""

    def __post_init__(self) -> None:
        """Refuse sizes that no latents have and maps that nothing reads."""
        batch, _, height, width = self.image.shape
        if height % LATENT_STRIDE or width % LATENT_STRIDE:
            raise ImageError(
                f"The image is {height}x{width} pixels (height x width); both must be multiples "
                f"of {LATENT_STRIDE}. Pad or cut it."
            )
        for name, values in self.maps.items():
            if name not in MAP_CHANNELS:
                raise ConfigError(f"Unknown map {name!r}; there are {list(MAP_CHANNELS)}.")
            if tuple(values.shape) != (expected := (batch, MAP_CHANNELS[name], height, width)):
                raise ImageError(
                    f"Map {name!r} has shape {tuple(values.shape)}, expected {expected}."
                )

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> "ConditionInputs":
        """Apply one change to every tensor: a move, a slice, a repetition."""
        changed: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, dict):
                changed[entry.name] = {name: change(tensor) for name, tensor in value.items()}
            else:
                changed[entry.name] = None if value is None else change(value)
        return ConditionInputs(**changed)

    def to(self, *args: Any, **kwargs: Any) -> "ConditionInputs":
        """Move every tensor, as `Tensor.to` does."""
        return self.map_tensors(lambda tensor: tensor.to(*args, **kwargs))

    def with_depth(self, z: Float[Tensor, "batch points"]) -> "ConditionInputs":
        """Give the points other depths; maps of the target stay, carried colours go."""
        points = torch.cat([self.points[..., :2], z[..., None]], -1)
        maps = {name: values for name, values in self.maps.items() if name != "carried"}
        return replace(self, points=points, maps=maps)


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """Which samples of a batch keep which condition; None: all of them."""

    keep_identity: Bool[Tensor, " batch"] | None = None
    """The others get null identity tokens, pose tokens computed from these, and no warp."""
    keep_pose: Bool[Tensor, " batch"] | None = None
    """The others get null pose tokens and residuals of exactly zero."""
    keep_maps: Mapping[str, Bool[Tensor, " batch"]] = field(default_factory=dict)
    """By group of maps; a group without an entry is kept."""

    def kept_maps(self) -> dict[str, Bool[Tensor, " batch"]]:
        """Combine everything that drops a group of maps."""
        kept = {}
        for name in MAP_CHANNELS:
            reasons = [self.keep_maps.get(name), self.keep_pose]
            if name in ("warp", "carried"):
                reasons.append(self.keep_identity)
            given = [reason for reason in reasons if reason is not None]
            if given:
                kept[name] = torch.stack(given).all(0)
        return kept


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a UNet is conditioned on, through every step of sampling."""

    c_id: Float[Tensor, "batch tokens width"]
    """Identity tokens: F_3D, or null tokens where the identity is dropped."""
    c_pose: Float[Tensor, "batch points width"]
    """Pose tokens, one for every body point; none without 3D control."""
    pose_uvz: Float[Tensor, "batch points 3"]
    """The points' positions: NDC of the output image, and depth in metres."""
    residuals: tuple[Float[Tensor, "batch _ _ _"], ...] = ()
    """Added to the output of the last block of each level on the way down, before downsampling;
    none without the 2D prior."""
    latent_prior: LatentPrior | None = None
    """Of the result; none where the UNet is not trained around it."""

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> "Condition":
        """Apply one change to every tensor: a move, a slice, a repetition."""
        prior = self.latent_prior
        return Condition(
            c_id=change(self.c_id),
            c_pose=change(self.c_pose),
            pose_uvz=change(self.pose_uvz),
            residuals=tuple(change(level) for level in self.residuals),
            latent_prior=None if prior is None else prior.map_tensors(change),
        )

    def to(self, *args: Any, **kwargs: Any) -> "Condition":
        """Move every tensor, as `Tensor.to` does."""
        return self.map_tensors(lambda tensor: tensor.to(*args, **kwargs))
