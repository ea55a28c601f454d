"""From a source image and a target body to the condition, once the latents' size is known.

How the person is framed depends on the wanted pose and on the size of the image to draw, so the
condition is computed at the start of sampling; until then it is a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ConfigError, ParamsError
from ...posexfer_core.network.clip_square import clip_square
from ...posexfer_core.network.condition import Condition, ConditionInputs
from ...posexfer_core.network.config import LATENT_STRIDE
from ...posexfer_core.network.guidance import Branch, stacked_condition
from ...posexfer_core.network.latent_prior import LatentPrior
from ...posexfer_core.transfer.inputs import prepare_inputs
from ...posexfer_core.transfer.staging import Stage, stage
from ..sockets import PosedBody
from .images import from_core
from .masks import mask_of
from .models import PoseTransferModel
from .progress import check_interrupt, start_progress
from .restoring import KeptWarp


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceAppearance:
    """An image of a person and their body, whose features are lifted when sampling starts."""

    model: PoseTransferModel
    image: Tensor
    """(images, 3, height, width) in [-1, 1], on the CPU."""
    body: PosedBody | None
    """The body of the person shown; none where it is not known."""
    mask: Tensor | None = None
    """(1 or images, 1, height, width): share of the person in each pixel; none if not known."""
    others: Tensor | None = None
    """(1 or images, 1, height, width): share of other people; none if not known."""
    clip_vision: Any = None
    vae: Any = None

    def __post_init__(self) -> None:
        """Check here, so that the error names the node that lacks an input.

        Raises:
            ConfigError: these weights need CLIP and the VAE, and one is not connected.
            ParamsError: there are neither one nor as many bodies as images.
        """
        if self.model.config.encoder == "clip" and (self.clip_vision is None or self.vae is None):
            raise ConfigError(
                f"'{self.model.name}' needs CLIP and the VAE for the source image. Connect "
                "'clip_vision' (a ViT-L/14 from Load CLIP Vision) and 'vae' (the checkpoint's)."
            )
        if self.body is not None and self.body.params.frames not in (1, len(self.image)):
            raise ParamsError(
                f"The source body has {self.body.params.frames} frames for {len(self.image)} "
                "images. Connect the body of this image."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionRequest:
    """The source and the body that it is wanted on."""

    source: SourceAppearance
    target: PosedBody
    fit_to_source: bool = True
    """Give the target the source's shape, place and camera."""
    warp: float = 1.0
    """How much of the source's colours is carried along the surface."""
    kept: KeptWarp = field(default_factory=KeptWarp)
    """Where a run leaves its warp, for whoever asked for it."""

    def __post_init__(self) -> None:
        """Check that the bodies go together.

        Raises:
            ParamsError: the numbers of frames or the body models do not.
        """
        frames, images = self.target.params.frames, len(self.source.image)
        if frames > 1 and images not in (1, frames):
            raise ParamsError(
                f"The target has {frames} frames for {images} source images, expected one "
                "image or as many."
            )
        source = self.source.body
        spaces = {body.model.beta_space for body in (self.target, source) if body is not None}
        if len(spaces) > 1:
            raise ParamsError(
                f"Source and target are of different body models, {sorted(spaces)}. Load both with "
                "the same body model, or give the target's pose to the source by Retarget Body."
            )

    @property
    def frames(self) -> int:
        """How many images are asked for."""
        return max(self.target.params.frames, len(self.source.image))

    def condition(
        self, size: tuple[int, int], branches: Sequence[Branch], device: torch.device
    ) -> Condition:
        """Compute the condition for latents of height and width `size`."""
        network = self.source.model.network
        inputs = self.inputs((LATENT_STRIDE * size[0], LATENT_STRIDE * size[1]), device)
        whole = stacked_condition(network, inputs, branches)
        if self.warp == 1.0 or "warp" not in inputs.maps:
            return whole
        plain = stacked_condition(network, inputs, branches, keep_maps={"warp": False})
        if self.warp == 0.0:
            return plain
        return interpolate_prior(plain, whole, self.warp)

    def inputs(self, size: tuple[int, int], device: torch.device) -> ConditionInputs:
        """Frame source and target alike, and draw every map."""
        stages = self.stages(size)
        targets = [one.target for one in stages]
        image = torch.cat([one.image.expand(len(one.target), -1, -1, -1) for one in stages])
        image = image.to(device)
        known = [
            one.source.at(0) for one in stages if one.source is not None for _ in one.target.joints
        ]
        warped = self.warps(stages).to(device) if known else None
        if self.kept.wanted and self.warp:
            self.kept.warped = warped
        inputs = prepare_inputs(
            image,
            BodyView.stack(known).to(device) if known else None,
            BodyView.stack(targets).to(device),
            warped,
            config=self.source.model.config,
            encode=self.encode,
        )
        if self.source.model.config.encoder == "clip":
            inputs = replace(
                inputs,
                clip_hidden=clip_hidden(self.source.clip_vision, image).to(device),
                source_latents=self.encode(image).to(device),
            )
        return inputs.to(next(self.source.model.network.parameters()).dtype)

    def warps(self, stages: Sequence[Stage]) -> Tensor:
        """Warp the source to every frame, with progress; an interrupt stops between steps."""
        advance, planes = start_progress(self.frames), []
        for one in stages:
            for warp in one.warps(progress=check_interrupt):
                planes.append(warp.planes)
                advance(1, warp.image)
        return torch.cat(planes)

    def stages(self, size: tuple[int, int]) -> list[Stage]:
        """Frame the images and their bodies; all poses of one image get one framing."""
        target, images = self.target.params.select(None), self.source.image
        if len(images) == 1:
            return [self._staged(images, 0, target, size)]
        return [
            self._staged(images[[number]], number, target.select(number % target.frames), size)
            for number in range(len(images))
        ]

    def _staged(
        self, image: Tensor, number: int, target: HumanParams, size: tuple[int, int]
    ) -> Stage:
        source, mask, others = self.source.body, self.source.mask, self.source.others
        return stage(
            image,
            None if source is None else source.params.select(number % source.params.frames),
            target,
            self.target.model,
            size=size,
            mask=mask_of(mask, number),
            others=mask_of(others, number),
            retargeted=self.fit_to_source,
            source_body=None if source is None else source.model,
        )

    def encode(self, image: Tensor) -> Tensor:
        """Carry images in [-1, 1] to the latents that the UNet denoises."""
        autoencoder = self.source.model.autoencoder
        if autoencoder is not None:
            return autoencoder.encode(image)
        if self.source.vae is None:
            raise ConfigError(
                f"'{self.source.model.name}' needs latents of the source. Connect the "
                "checkpoint's VAE to 3D Feature Lift."
            )
        latents = self.source.vae.encode(from_core(image)).to(image)
        return latents * self.source.model.config.latent_scale


def clip_hidden(clip_vision: Any, image: Tensor) -> Tensor:
    """Compute CLIP's hidden states before its last layer, from the same square as in training.

    It has the size of CLIP's input, so that the host does not scale it again.
    """
    square = clip_square(image, clip_vision.image_size)
    return clip_vision.encode_image(from_core(square), crop=False)["penultimate_hidden_states"]


def interpolate_prior(plain: Condition, whole: Condition, share: float) -> Condition:
    """Interpolate the 2D prior's part of two conditions; the rest of them is the same."""
    residuals = tuple(
        torch.lerp(a, b, share) for a, b in zip(plain.residuals, whole.residuals, strict=True)
    )
    prior, other = whole.latent_prior, plain.latent_prior
    if prior is not None and other is not None:
        prior = LatentPrior(
            mean=torch.lerp(other.mean, prior.mean, share),
            std=torch.lerp(other.std, prior.std, share),
        )
    return replace(whole, residuals=residuals, latent_prior=prior)
