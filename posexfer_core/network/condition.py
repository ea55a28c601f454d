"""What the network reads, and what it makes of it for the UNet; nothing depends on the timestep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError, ImageError
from .anchor import Anchor
from .config import LATENT_STRIDE, MAP_CHANNELS


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
    maps: dict[str, Tensor] = field(default_factory=dict)
    """Maps of the target body, (batch, `MAP_CHANNELS[name]`, height, width); any may be missing."""
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


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a UNet is steered by, through every step of sampling."""

    identity: Float[Tensor, "batch tokens width"]
    """How the person looks (F_3D)."""
    pose: Float[Tensor, "batch points width"]
    """Where the body's points are and what is to be seen there; no points without 3D control."""
    pose_uv: Float[Tensor, "batch points 2"]
    """The points' places in NDC of the output image."""
    residuals: tuple[Float[Tensor, "batch _ _ _"], ...] = ()
    """Added to the output of the last block of each level on the way down, before downsampling;
    none without the 2D prior."""
    anchor: Anchor | None = None
    """What the 2D prior knows of the result; none where the UNet is not trained around it."""

    @classmethod
    def cat(cls, conditions: Sequence["Condition"]) -> "Condition":
        """Stack conditions along the batch, as guidance evaluates them."""
        return cls(
            identity=torch.cat([one.identity for one in conditions]),
            pose=torch.cat([one.pose for one in conditions]),
            pose_uv=torch.cat([one.pose_uv for one in conditions]),
            residuals=tuple(
                torch.cat(level)
                for level in zip(*(one.residuals for one in conditions), strict=True)
            ),
            anchor=_stacked([one.anchor for one in conditions]),
        )

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> "Condition":
        """Apply one change to every tensor: a move, a slice, a repetition."""
        return Condition(
            identity=change(self.identity),
            pose=change(self.pose),
            pose_uv=change(self.pose_uv),
            residuals=tuple(change(level) for level in self.residuals),
            anchor=self.anchor
            and Anchor(mean=change(self.anchor.mean), std=change(self.anchor.std)),
        )

    def to(self, *args: Any, **kwargs: Any) -> "Condition":
        """Move every tensor, as `Tensor.to` does."""
        return self.map_tensors(lambda tensor: tensor.to(*args, **kwargs))


def _stacked(anchors: Sequence[Anchor | None]) -> Anchor | None:
    known = [anchor for anchor in anchors if anchor is not None]
    if not known:
        return None
    assert len(known) == len(anchors), "one network anchors all of its conditions or none"
    return Anchor(
        mean=torch.cat([anchor.mean for anchor in known]),
        std=torch.cat([anchor.std for anchor in known]),
    )
