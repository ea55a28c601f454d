"""From one image and a target body to that person in that pose, as a diffusers pipeline."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from diffusers.utils.outputs import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ..body.view import BodyView
from ..errors import ConfigError, ImageError
from ..files.images import from_pil, to_pil
from ..network.condition import ConditionInputs
from ..network.config import LATENT_STRIDE
from ..network.guidance import Guidance, stacked_condition
from ..transfer.inputs import prepare_inputs, warp_images
from ..warp.restore_detail import restore_detail
from .attach import attach
from .clip import clip_hidden_states
from .latents import decode_latents, encode_image
from .parts import PipelineParts
from .text import TextContext, encode_text, no_text

Images = Tensor | Image.Image | Sequence[Image.Image]
StepCallback = Callable[..., dict[str, Any]]


@dataclass
class PoseTransferOutput(BaseOutput):
    """What a call of the pipeline returns."""

    images: Any
    """Pillow images for "pil", a tensor in [-1, 1] for "pt", and latents for "latent"."""


class PoseTransferPipeline(PipelineParts):
    """Draw the person of an image in the pose of a 3D body.

    Build one by `from_bundle` (a weights file that holds everything), by `from_base` (our adapter
    and the files of a base of the SD 1.5 or SDXL family), by `from_pretrained` (what
    `save_pretrained` wrote, or a base's whole folder and our adapter), or from parts.
    """

    _callback_tensor_inputs = ["latents", "prediction"]  # noqa: RUF012  (diffusers' name and kind)

    interrupt = False
    """A callback sets this to stop after its step; what there is by then is decoded."""

    @torch.no_grad()
    def __call__(
        self,
        image: Images,
        source: BodyView | None,
        target: BodyView,
        mask: Float[Tensor, "batch 1 height width"] | None = None,
        *,
        warped: Float[Tensor, "batch 6 height width"] | None = None,
        num_inference_steps: int = 20,
        guidance: Guidance | None = None,
        identity_strength: float | int = 1.0,
        pose_strength: float | int = 1.0,
        prior: bool = True,
        warp: bool = True,
        detail: bool = True,
        prompt: str = "",
        generator: torch.Generator | list[torch.Generator] | None = None,
        latents: Float[Tensor, "batch channels latent_height latent_width"] | None = None,
        output_type: Literal["pil", "pt", "latent"] = "pil",
        callback_on_step_end: StepCallback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> PoseTransferOutput:
        """Draw one image for each image, source and target; any of them may be one for all.

        Args:
            image: the person: a tensor in [-1, 1], or Pillow images. Sides are multiples of 8.
            source: their body in that image, or None where it is not known.
            target: the body wanted, in an image of the same size.
            mask: share of the person in each pixel of the images, where it is known.
            warped: the images' people in the targets' poses, where `warp_images` has made them
                already.
            num_inference_steps: more are slower and sharper.
            guidance: scales of classifier-free guidance; the network's usual ones by default.
            identity_strength: strength of the identity tokens in every pass; 1 as trained.
            pose_strength: strength of the pose tokens, likewise.
            prior: use the maps of the target body; without them the pose tokens are alone.
            warp: among them, use the colours carried along the body's surface.
            detail: with the warp, put its fine detail back where latents cannot hold it, and
                leave what lies beside the person as the warp has it.
            prompt: text for the base model; needs a text encoder.
            generator: makes the result reproducible; a list for one each.
            latents: noise to start from, of unit variance, instead of drawing it.
            output_type: "pil", "pt" (a tensor in [-1, 1]) or "latent".
            callback_on_step_end: called as `callback(pipeline, step, timestep, tensors)`; what it
                returns replaces the tensors of that name.
            callback_on_step_end_tensor_inputs: which tensors it is shown.

        Raises:
            ImageError: sizes or numbers of images and bodies do not go together.
        """
        guidance = guidance or Guidance.usual(self.network.config)
        inputs, warped = self.prepare(image, source, target, mask, warped)
        kept = {name: prior and (warp or name != "warp") for name in inputs.maps}
        noise = self.start_noise(inputs.image, generator, latents)
        text = self.encode_prompt(prompt, len(noise))
        with attach(self.unet, self.network) as attachment:
            attachment.set_condition(
                stacked_condition(self.network, inputs, guidance.weights, keep_maps=kept),
                identity_scale=identity_strength,
                pose_scale=pose_strength,
            )
            drawn = self._denoise(
                partial(
                    attachment.predict_guided,
                    guidance,
                    context=text.tokens,
                    pooled=text.pooled,
                ),
                noise,
                steps=num_inference_steps,
                generator=generator,
                callback=callback_on_step_end,
                shown=callback_on_step_end_tensor_inputs,
            )
        shown = warped if detail and kept.get("warp") else None
        return PoseTransferOutput(images=self._finish(drawn, shown, output_type))

    def prepare(
        self,
        image: Images,
        source: BodyView | None,
        target: BodyView,
        mask: Float[Tensor, "batch 1 height width"] | None = None,
        warped: Float[Tensor, "batch 6 height width"] | None = None,
    ) -> tuple[ConditionInputs, Float[Tensor, "batch 6 height width"] | None]:
        """Compute everything that the network is conditioned on, before any timestep.

        Returns:
            The network's inputs, and the warp that is among them.
        """
        given = _to_tensor(image).to(self.device, torch.float32)
        count = max(len(given), len(target), 1 if source is None else len(source))
        images = torch.cat([given] * _copies("images", len(given), count))
        if mask is not None:
            mask = torch.cat([mask.to(images)] * _copies("masks", len(mask), count))
        shown = None if source is None else _for_all("source bodies", source, count).to(self.device)
        wanted = _for_all("target bodies", target, count).to(self.device)
        if warped is None and shown is not None:
            warped = warp_images(images, shown, wanted, mask)
        warped = None if warped is None else warped.to(images)
        inputs = prepare_inputs(
            images,
            shown,
            wanted,
            warped,
            config=self.network.config,
            encode=partial(encode_image, self.vae),
        )
        if self.image_encoder is not None:
            inputs = replace(
                inputs,
                clip_hidden=clip_hidden_states(self.image_encoder, images),
                source_latents=encode_image(self.vae, images),
            )
        return inputs.to(next(self.network.parameters()).dtype), warped

    def start_noise(
        self,
        image: Float[Tensor, "batch 3 height width"],
        generator: torch.Generator | list[torch.Generator] | None,
        latents: Tensor | None = None,
    ) -> Float[Tensor, "batch channels latent_height latent_width"]:
        """Draw the noise for images of this number and size, or check what was given."""
        height, width = (side // LATENT_STRIDE for side in image.shape[-2:])
        shape = (len(image), self.network.config.latent_channels, height, width)
        if latents is None:
            return randn_tensor(shape, generator=generator, device=self.device, dtype=torch.float32)
        if tuple(latents.shape) != shape:
            raise ImageError(
                f"latents have shape {tuple(latents.shape)}, expected {shape} for these images."
            )
        return latents.to(self.device, torch.float32)

    def encode_prompt(self, prompt: str, batch: int) -> TextContext:
        """Encode text for the base model; without a text encoder there is one token of zeros."""
        encoders = [one for one in (self.text_encoder, self.text_encoder_2) if one is not None]
        if not encoders:
            if prompt:
                raise ConfigError(
                    "This pipeline has no text encoder, so it cannot read a prompt. Leave it empty."
                )
            return no_text(self.unet, batch)
        tokenizers = tuple(one for one in (self.tokenizer, self.tokenizer_2) if one is not None)
        return encode_text(tuple(encoders), tokenizers, prompt).to(self.dtype).repeat(batch)

    def _denoise(
        self,
        predict: Callable[[Tensor, Tensor], Tensor],
        latents: Tensor,
        *,
        steps: int,
        generator: torch.Generator | list[torch.Generator] | None,
        callback: StepCallback | None,
        shown: Sequence[str],
    ) -> Tensor:
        """Go from noise to latents, in float32 whatever the UNet computes in."""
        if steps < 1:
            raise ConfigError(f"num_inference_steps is {steps}; at least 1 is needed.")
        known = self._callback_tensor_inputs
        if unknown := set(shown) - set(known):
            raise ConfigError(f"A callback cannot be shown {sorted(unknown)}, only {known}.")
        self.interrupt = False
        scheduler = self.scheduler
        scheduler.set_timesteps(steps, device=self.device)
        takes_generator = "generator" in inspect.signature(scheduler.step).parameters
        extra = {"generator": generator} if takes_generator else {}
        latents = latents * scheduler.init_noise_sigma
        progress_bar: Any = self.progress_bar  # diffusers' decorator hides its signature
        for number, timestep in enumerate(progress_bar(scheduler.timesteps)):
            sample = scheduler.scale_model_input(latents, timestep)
            prediction = predict(sample.to(self.dtype), timestep).float()
            latents = scheduler.step(prediction, timestep, latents, **extra).prev_sample
            if callback is not None:
                tensors = {"latents": latents, "prediction": prediction}
                seen = {name: tensors[name] for name in shown}
                latents = callback(self, number, timestep, seen).get("latents", latents)
            if self.interrupt:
                break
        return latents

    def _finish(
        self, latents: Tensor, warped: Tensor | None, output_type: Literal["pil", "pt", "latent"]
    ) -> list[Image.Image] | Tensor:
        if output_type == "latent":
            return latents
        images = decode_latents(self.vae, latents).float()
        if warped is not None:
            images = restore_detail(images, warped, where_soft=True)
        return images if output_type == "pt" else [to_pil(one[None]) for one in images]


def _to_tensor(image: Images) -> Float[Tensor, "batch 3 height width"]:
    """Bring any kind of image to a tensor."""
    if isinstance(image, Tensor):
        if image.ndim != 4 or image.shape[1] != 3:
            raise ImageError(
                f"image has shape {tuple(image.shape)}, expected (batch, 3, height, width)."
            )
        return image
    images = [image] if isinstance(image, Image.Image) else list(image)
    sizes = {one.size for one in images}
    if len(sizes) != 1:
        raise ImageError(
            f"The images have {len(sizes)} different sizes {sorted(sizes)}, expected one."
        )
    return torch.cat([from_pil(one) for one in images])


def _copies(what: str, found: int, count: int) -> int:
    """Count how often one must be repeated to be as many as the others."""
    if found not in (1, count):
        raise ImageError(f"There are {found} {what} for {count} results, expected 1 or {count}.")
    return count // found


def _for_all(what: str, view: BodyView, count: int) -> BodyView:
    """Repeat a body for every result."""
    return BodyView.stack([view] * _copies(what, len(view), count))
