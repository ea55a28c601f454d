"""What a base's UNet knows of text: tokens, and for SDXL a pooled row and the image's size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from jaxtyping import Float, Int
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ..errors import ConfigError
from ..network.config import LATENT_STRIDE

TextEncoder = CLIPTextModel | CLIPTextModelWithProjection


@dataclass(frozen=True, kw_only=True)
class TextContext:
    """The base's own condition."""

    tokens: Float[Tensor, "batch tokens width"]
    """What its cross-attentions attend to."""
    pooled: Float[Tensor, "batch pooled"] | None = None
    """What is added to the timestep's embedding, together with sizes; none but in SDXL."""

    def repeat(self, count: int) -> "TextContext":
        """Repeat the whole batch."""
        pooled = None if self.pooled is None else self.pooled.repeat(count, 1)
        return TextContext(tokens=self.tokens.repeat(count, 1, 1), pooled=pooled)

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> "TextContext":
        """Apply one change to every tensor."""
        pooled = None if self.pooled is None else change(self.pooled)
        return TextContext(tokens=change(self.tokens), pooled=pooled)

    def to(self, *args: Any, **kwargs: Any) -> "TextContext":
        """Move every tensor, as `Tensor.to` does."""
        return self.map_tensors(lambda tensor: tensor.to(*args, **kwargs))


def added_text(
    pooled: Float[Tensor, "batch pooled"] | None,
    latents: Float[Tensor, "batch channels height width"],
) -> dict[str, Tensor] | None:
    """Give diffusers' `added_cond_kwargs`; none where there is no pooled text.

    SDXL is told the image's size before and after cropping and where the crop began: here the
    whole image, `(height, width, 0, 0, height, width)` in pixels.
    """
    if pooled is None:
        return None
    height, width = (LATENT_STRIDE * side for side in latents.shape[-2:])
    sizes = torch.tensor((height, width, 0, 0, height, width)).to(pooled)
    return {"text_embeds": pooled, "time_ids": sizes.expand(len(pooled), -1)}


def no_text(unet: UNet2DConditionModel, batch: int) -> TextContext:
    """Make the context of UNets that were trained without text: one token of zeros."""
    width = unet.config["cross_attention_dim"]
    return TextContext(tokens=next(unet.parameters()).new_zeros(batch, 1, width))


def encode_text(
    text_encoders: tuple[TextEncoder, ...],
    tokenizers: tuple[CLIPTokenizer, ...] = (),
    prompt: str = "",
) -> TextContext:
    """Encode a prompt as the base's family does; the empty one needs no tokenizer.

    Args:
        text_encoders: one, whose last hidden states are the tokens (SD 1.5); or two, whose
            states before the last layer are joined, the second's pooled too (SDXL).
        tokenizers: of each of them.
        prompt: the text.

    Raises:
        ConfigError: there is a prompt and no tokenizer.
    """
    if (prompt or tokenizers) and len(tokenizers) != len(text_encoders):
        raise ConfigError(
            f"The prompt {prompt!r} cannot be read: this base has {len(tokenizers)} tokenizers.\n"
            f"Expected {len(text_encoders)}, one for each text encoder (tokenizer, tokenizer_2).\n"
            "Leave the prompt empty, or name a diffusers folder that has them."
        )
    if tokenizers:
        ids = [_tokenize(tokenizer, prompt) for tokenizer in tokenizers]
    else:
        ids = [_empty_ids(one, second=n > 0) for n, one in enumerate(text_encoders)]
    with torch.no_grad():
        outputs = [
            encoder(number.to(encoder.device), output_hidden_states=True)
            for encoder, number in zip(text_encoders, ids, strict=True)
        ]
    if len(outputs) == 1:
        return TextContext(tokens=outputs[0].last_hidden_state)
    hidden = [output.hidden_states[-2] for output in outputs]
    return TextContext(tokens=torch.cat(hidden, -1), pooled=outputs[1].text_embeds)


def _tokenize(tokenizer: CLIPTokenizer, prompt: str) -> Int[Tensor, "1 tokens"]:
    return tokenizer(
        [prompt],
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids


def _empty_ids(encoder: TextEncoder, *, second: bool) -> Int[Tensor, "1 tokens"]:
    """Give CLIP's ids of an empty prompt: start, end, padding.

    Start and end are the last two words of its vocabulary. Padding is the end again; 0 for the
    second encoder of SDXL.
    """
    config: Any = encoder.config
    start, end = config.vocab_size - 2, config.vocab_size - 1
    padding = 0 if second else end
    count = config.max_position_embeddings
    return torch.tensor([[start, end] + [padding] * (count - 2)])
