"""From a source image and a target body to the condition, once the latents' size is known.

How the person must be framed depends on the wanted pose and on the size of the image to draw, so
that the features of the source are computed at the start of sampling; until then they are an order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ConfigError, ParamsError
from ...posexfer_core.network.clip_square import clip_square
from ...posexfer_core.network.condition import Condition, ConditionInputs
from ...posexfer_core.network.config import LATENT_STRIDE
from ...posexfer_core.network.guidance import Branch, stacked_condition
from ...posexfer_core.transfer.inputs import prepare_inputs
from ...posexfer_core.transfer.staging import Stage, stage
from ..sockets import PosedBody
from .images import from_core
from .models import PoseTransferModel


@dataclass(frozen=True, kw_only=True, eq=False)
class LiftedFeatures:
    """The looks of a person, to be carried onto a body."""

    model: PoseTransferModel
    image: Tensor
    """(images, 3, height, width) in [-1, 1], on the CPU."""
    source: PosedBody | None
    """The body of the person shown; none where it is not known."""
    clip_vision: Any = None
    vae: Any = None

    def __post_init__(self) -> None:
        """Say what is missing, while the node that lacks it is still at hand.

        Raises:
            ConfigError: these weights see through CLIP or through the VAE, and none is connected.
            ParamsError: there are neither one nor as many bodies as images.
        """
        if self.model.config.encoder == "clip" and (self.clip_vision is None or self.vae is None):
            raise ConfigError(
                f"'{self.model.name}' sees the source through CLIP and the VAE. Connect "
                "'clip_vision' (a ViT-L/14 from Load CLIP Vision) and 'vae' (the checkpoint's)."
            )
        if self.source is not None and self.source.params.frames not in (1, len(self.image)):
            raise ParamsError(
                f"The source body has {self.source.params.frames} frames for {len(self.image)} "
                "images. Connect the body of this image."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """Lifted features and the body that they are wanted on."""

    features: LiftedFeatures
    target: PosedBody
    fit_to_source: bool = True
    """Give the target the source's shape, place and camera."""
    warp: float = 1.0
    """How much of the source's colours is carried along the surface."""

    def __post_init__(self) -> None:
        """Check that the bodies go together.

        Raises:
            ParamsError: the numbers of frames or the body models do not.
        """
        frames, images = self.target.params.frames, len(self.features.image)
        if frames > 1 and images not in (1, frames):
            raise ParamsError(
                f"The target has {frames} frames for {images} source images, expected one "
                "image or as many."
            )
        source = self.features.source
        spaces = {body.model.beta_space for body in (self.target, source) if body is not None}
        if len(spaces) > 1:
            raise ParamsError(
                f"Source and target are of different body models, {sorted(spaces)}. Load both with "
                "the same body model, or give the target's pose to the source by Retarget Body."
            )

    @property
    def frames(self) -> int:
        """How many images are asked for."""
        return max(self.target.params.frames, len(self.features.image))

    def condition(
        self, size: tuple[int, int], branches: Sequence[Branch], device: torch.device
    ) -> Condition:
        """Compute what steers the UNet for latents of height and width `size`."""
        network = self.features.model.network
        inputs = self.inputs((LATENT_STRIDE * size[0], LATENT_STRIDE * size[1]), device)
        whole = stacked_condition(network, inputs, branches)
        if self.warp == 1.0 or "warp" not in inputs.maps:
            return whole
        plain = stacked_condition(network, inputs, branches, keep_maps={"warp": False})
        if self.warp == 0.0:
            return plain
        return blended(plain, whole, self.warp)

    def inputs(self, size: tuple[int, int], device: torch.device) -> ConditionInputs:
        """Frame source and target alike, and draw every map."""
        stages = [self.staged(number, size) for number in range(self.frames)]
        image = torch.cat([one.image for one in stages]).to(device)
        known = [one.source for one in stages if one.source is not None]
        inputs = prepare_inputs(
            image,
            BodyView.stack(known).to(device) if known else None,
            BodyView.stack([one.target for one in stages]).to(device),
            config=self.features.model.config,
            encode=self.encode,
        )
        if self.features.model.config.encoder == "clip":
            inputs = replace(
                inputs,
                clip_hidden=clip_hidden(self.features.clip_vision, image).to(device),
                source_latents=self.encode(image).to(device),
            )
        return inputs.to(next(self.features.model.network.parameters()).dtype)

    def staged(self, number: int, size: tuple[int, int]) -> Stage:
        """Frame one image and its bodies."""
        image = _at(self.features.image, number)
        source = self.features.source
        target = self.target.params.select(number % self.target.params.frames)
        return stage(
            image,
            None if source is None else source.params.select(number % source.params.frames),
            target,
            self.target.model,
            size=size,
            retargeted=self.fit_to_source,
            source_body=None if source is None else source.model,
        )

    def encode(self, image: Tensor) -> Tensor:
        """Carry images in [-1, 1] to the latents that the UNet denoises."""
        autoencoder = self.features.model.autoencoder
        if autoencoder is not None:
            return autoencoder.encode(image)
        if self.features.vae is None:
            raise ConfigError(
                f"'{self.features.model.name}' reads latents of the source. Connect the "
                "checkpoint's VAE to 3D Feature Lift."
            )
        latents = self.features.vae.encode(from_core(image)).to(image)
        return latents * SD15_SCALE


SD15_SCALE = 0.18215
"""What the latents of the Stable Diffusion 1.5 family are multiplied by."""


def clip_hidden(clip_vision: Any, image: Tensor) -> Tensor:
    """Compute CLIP's hidden states before its last layer, of what the weights were trained to see.

    The image comes in the size of CLIP's square, so that the host does not scale it again.
    """
    square = clip_square(image, clip_vision.image_size)
    return clip_vision.encode_image(from_core(square), crop=False)["penultimate_hidden_states"]


def blended(plain: Condition, whole: Condition, share: float) -> Condition:
    """Go part of the way from one condition to another; they differ in what the prior says."""
    residuals = tuple(
        torch.lerp(a, b, share) for a, b in zip(plain.residuals, whole.residuals, strict=True)
    )
    anchor = whole.anchor
    if plain.anchor is not None and whole.anchor is not None:
        anchor = replace(
            whole.anchor,
            mean=torch.lerp(plain.anchor.mean, whole.anchor.mean, share),
            std=torch.lerp(plain.anchor.std, whole.anchor.std, share),
        )
    return replace(whole, residuals=residuals, anchor=anchor)


def _at(images: Tensor, number: int) -> Tensor:
    place = number % len(images)
    return images[place : place + 1]
