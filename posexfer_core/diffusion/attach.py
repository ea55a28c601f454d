"""Carry a `Condition` into a diffusers UNet, and out again without a trace.

The UNet itself is not changed: every cross-attention gets another processor, and a hook on the last
layer of each level on the way down adds that level's residual, to the trunk and the skip alike. So
whatever calls the UNet afterwards, a trainer, our pipeline or someone else's, is conditioned.
"""

from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_2d_condition import (
    UNet2DConditionModel,
    UNet2DConditionOutput,
)
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..errors import ConfigError
from ..network.condition import Condition
from ..network.guidance import Guidance
from ..network.kv_cache import KeyValues
from ..network.latent_prior import LatentPrior, precondition_velocity
from ..network.model import PoseTransferNetwork
from ..network.sites import (
    AttentionSite,
    UNetShape,
    diffusers_name,
    enumerate_sites,
    level_sizes,
    residual_layer,
)
from .text import TextContext, added_text


def attach(unet: UNet2DConditionModel, network: PoseTransferNetwork) -> "Attachment":
    """Attach a network to the UNet that it was made for; undo it by `detach` or by `with`.

    Raises:
        ConfigError: the UNet has another shape than the network's config says.
    """
    check_fit(unet, network.config.unet)
    return Attachment(unet, network)


class Attachment(AbstractContextManager["Attachment"]):
    """A network attached to a UNet.

    Without a condition the UNet predicts what it predicted before, bit for bit.
    """

    def __init__(self, unet: UNet2DConditionModel, network: PoseTransferNetwork) -> None:
        self.unet = unet
        self.network = network
        self._residuals: tuple[Tensor, ...] = ()
        self._latent_prior: LatentPrior | None = None
        self._keys_and_values: KeyValues | None = None
        self._scales: tuple[float | Tensor, float | Tensor] = (1.0, 1.0)
        self._level_sizes: tuple[tuple[int, int], ...] = ()
        self._base_processors: list[tuple[Attention, Any]] = []
        self._sites = enumerate_sites(network.config.unet)
        for site in self._sites:
            module = unet.get_submodule(diffusers_name(site))
            assert isinstance(module, Attention)
            self._base_processors.append((module, module.processor))
            module.set_processor(SiteProcessor(site, self))  # type: ignore[arg-type]
        self._hooks = [unet.register_forward_pre_hook(self._before_forward, with_kwargs=True)]
        self._hooks.append(unet.register_forward_hook(self._precondition, with_kwargs=True))
        for level in range(len(network.config.unet.block_out_channels)):
            layer = unet.get_submodule(residual_layer(level, network.config.unet))
            self._hooks.append(layer.register_forward_hook(partial(self._add_residual, level)))

    def set_condition(
        self,
        condition: Condition | None,
        *,
        identity_scale: float | int | Tensor = 1.0,
        pose_scale: float | int | Tensor = 1.0,
    ) -> None:
        """Condition every following call of the UNet; project the tokens' keys and values once.

        In training, set a fresh condition at each step, and keep it until after `backward` where
        the UNet checkpoints its activations.

        Args:
            condition: a row for each row of the UNet's batch; None for the base alone.
            identity_scale: strength of the identity tokens; a tensor must broadcast over
                (batch, queries, channels).
            pose_scale: strength of the pose tokens, likewise.
        """
        self._scales = (identity_scale, pose_scale)
        if condition is None:
            self._residuals, self._latent_prior, self._keys_and_values = (), None, None
            return
        self._residuals, self._latent_prior = condition.residuals, condition.latent_prior
        self._keys_and_values = self.network.precompute_kv(condition)

    def predict(
        self,
        sample: Float[Tensor, "batch channels height width"],
        timestep: Int[Tensor, "*steps"] | Float[Tensor, "*steps"] | int,
        context: Float[Tensor, "batch tokens token_width"],
        pooled: Float[Tensor, "batch pooled"] | None = None,
    ) -> Float[Tensor, "batch channels height width"]:
        """Call the UNet: noise or v, whatever it was trained to predict.

        Args:
            sample: noisy latents.
            timestep: one for all, or one per sample.
            context: the base's own (text) tokens; see `text.no_text`.
            pooled: the base's pooled text, for SDXL.
        """
        return self.unet(
            sample,
            timestep,
            encoder_hidden_states=context,
            added_cond_kwargs=added_text(pooled, sample),
            return_dict=False,
        )[0]

    def predict_guided(
        self,
        guidance: Guidance,
        sample: Float[Tensor, "batch channels height width"],
        timestep: Int[Tensor, ""] | Float[Tensor, ""] | int,
        context: Float[Tensor, "batch tokens token_width"],
        pooled: Float[Tensor, "batch pooled"] | None = None,
    ) -> Float[Tensor, "batch channels height width"]:
        """Predict once for every pass of a guidance, in one call of the UNet, and combine.

        Args:
            guidance: the condition that is set must be stacked of its passes.
            sample: noisy latents, each image once.
            timestep: one for all.
            context: the base's own (text) tokens, each image once.
            pooled: the base's pooled text, likewise.
        """
        count = len(guidance.weights)
        text = TextContext(tokens=context, pooled=pooled).repeat(count)
        sample = sample.repeat(count, 1, 1, 1)
        stacked = self.predict(sample, timestep, text.tokens, text.pooled)
        return guidance.combine(stacked.chunk(count))

    def detach(self) -> None:
        """Give the UNet back as it was; a second call does nothing."""
        for module, processor in self._base_processors:
            module.set_processor(processor)
        self._base_processors.clear()
        for hook in self._hooks:
            hook.remove()
        self.set_condition(None)

    def __exit__(self, *_: object) -> None:
        """Detach."""
        self.detach()

    def added(self, site: AttentionSite, query: Tensor) -> Tensor | None:
        """Compute what the condition adds at a site before the output projection, if any is set."""
        if self._keys_and_values is None:
            return None
        height, width = self._level_sizes[site.level]
        return self.network.attend(
            site.key, query, self._keys_and_values, height, width, *self._scales
        )

    def _before_forward(
        self, unet: UNet2DConditionModel, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Keep the sample's size, from which every site has the grid of its queries.

        Their positions are projected here, outside of blocks that may be checkpointed: what these
        compute must not depend on whether they run for the first time.
        """
        if self._keys_and_values is None:
            return
        sample = args[0] if args else kwargs["sample"]
        rows = self._keys_and_values.batch
        if rows != len(sample):
            raise ConfigError(
                f"The condition is for {rows} samples, the UNet was given {len(sample)}. Stack the "
                "branches of guidance in both, or in neither."
            )
        height, width = sample.shape[-2:]
        self._level_sizes = level_sizes(height, width, self.network.config.unet)
        for site in self._sites:
            size = self._level_sizes[site.level]
            self.network.query_position(site.key, self._keys_and_values, *size)

    def _add_residual(
        self, level: int, layer: nn.Module, args: tuple[Any, ...], output: Tensor | tuple[Tensor]
    ) -> Tensor | tuple[Tensor] | None:
        """Add a level's residual to what its last layer returns: a tensor, or a tuple of one."""
        if not self._residuals:
            return None
        if isinstance(output, tuple):
            return (output[0] + self._residuals[level].to(output[0].dtype),)
        return output + self._residuals[level].to(output.dtype)

    def _precondition(
        self,
        unet: UNet2DConditionModel,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: UNet2DConditionOutput | tuple[Tensor],
    ) -> UNet2DConditionOutput | tuple[Tensor] | None:
        """Turn the output into a velocity around the prior over the latents."""
        if self._latent_prior is None:
            return None
        sample, timestep = (*args, *(kwargs[k] for k in ("sample", "timestep") if k in kwargs))[:2]
        steps = torch.as_tensor(timestep, device=sample.device)
        predicted = precondition_velocity(output[0], sample, steps, self._latent_prior)
        if isinstance(output, tuple):
            return (predicted,)
        return UNet2DConditionOutput(sample=predicted)


class SiteProcessor:
    """The base's cross-attention, plus what the condition adds at this site."""

    def __init__(self, site: AttentionSite, attachment: Attachment) -> None:
        self.site = site
        self.attachment = attachment

    def __call__(
        self,
        attn: Attention,
        hidden_states: Float[Tensor, "batch queries channels"],
        encoder_hidden_states: Float[Tensor, "batch tokens width"] | None = None,
        attention_mask: Tensor | None = None,
    ) -> Float[Tensor, "batch queries channels"]:
        """Attend to the base's context as `AttnProcessor2_0` does, then add ours."""
        assert attn.to_k is not None and attn.to_v is not None and attn.to_out is not None
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)
        if attention_mask is not None:
            attention_mask = rearrange(
                attn.prepare_attention_mask(attention_mask, context.shape[1], context.shape[0]),
                "(b h) q k -> b h q k",
                h=attn.heads,
            )
        split = [rearrange(x, "b n (h d) -> b h n d", h=attn.heads) for x in (query, key, value)]
        attended = F.scaled_dot_product_attention(*split, attn_mask=attention_mask)
        attended = rearrange(attended, "b h n d -> b n (h d)")
        added = self.attachment.added(self.site, query)
        if added is not None:
            attended = attended + added
        for layer in attn.to_out:  # a projection, then dropout
            attended = layer(attended)
        return attended


def check_fit(unet: UNet2DConditionModel, shape: UNetShape) -> None:
    """Refuse a UNet of another shape than the network was made for, or one that is taken.

    Raises:
        ConfigError: says what differs.
    """
    expected, found = _expected(shape), _found(unet)
    differing = [
        f"{name} is {found.get(name, 'missing')}, expected {expected.get(name, 'none')}"
        for name in [*expected, *(found.keys() - expected.keys())]
        if found.get(name) != expected.get(name)
    ]
    if differing:
        more = f"; and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise ConfigError(
            f"The UNet does not fit the network: {'; '.join(differing[:3])}{more}. Choose the UNet "
            "that the weights were made for, or the weights that were made for this UNet."
        )
    for site in enumerate_sites(shape):
        module = unet.get_submodule(diffusers_name(site))
        assert isinstance(module, Attention)
        if isinstance(module.processor, SiteProcessor):
            raise ConfigError("A network is attached to this UNet already. Detach it first.")


def _expected(shape: UNetShape) -> dict[str, str]:
    """Describe a shape in the words of `_found`."""
    sites = {diffusers_name(site): site for site in enumerate_sites(shape)}
    return {
        "block_out_channels": str(shape.block_out_channels),
        "layers_per_block": str(shape.layers_per_block),
        "cross_attention_dim": str(shape.cross_attention_dim),
        "in_channels": str(shape.latent_channels),
    } | {name: f"{site.channels} channels in {site.heads} heads" for name, site in sites.items()}


def _found(unet: UNet2DConditionModel) -> dict[str, str]:
    """Describe a UNet: its config, and the cross-attentions that it really has."""
    config = unet.config
    sites = {
        name: module
        for name, module in unet.named_modules()
        if isinstance(module, Attention) and name.endswith("attn2")
    }
    return {
        "block_out_channels": str(tuple(config["block_out_channels"])),
        "layers_per_block": str(config["layers_per_block"]),
        "cross_attention_dim": str(config["cross_attention_dim"]),
        "in_channels": str(config["in_channels"]),
    } | {name: f"{at.inner_dim} channels in {at.heads} heads" for name, at in sites.items()}
