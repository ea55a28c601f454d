"""Ways to draw a test pair's target: the model, with parts taken away, and baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.diffusion.latents import decode_latents, encode_image
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.network.guidance import Guidance
from posexfer_core.transfer.inputs import warp_images
from posexfer_core.warp.restore_detail import restore_detail

from ..data.shards import ShardDataset
from ..metrics.baselines import paste_warp

Images = Float[Tensor, "batch 3 height width"]


class Batch:
    """Some test pairs with their views, and their masks where there are any."""

    def __init__(
        self, data: ShardDataset, indices: list[int], body: BodyModel, device: torch.device
    ) -> None:
        pairs = [data.pair(index) for index in indices]
        self.indices = indices
        self.source_image = torch.stack([pair.source_image for pair in pairs]).to(device)
        self.target_image = torch.stack([pair.target_image for pair in pairs]).to(device)
        self.source = BodyView.stack([BodyView.of(pair.source, body) for pair in pairs]).to(device)
        self.target = BodyView.stack([BodyView.of(pair.target, body) for pair in pairs]).to(device)
        self.mask = _masks(data, indices, device)
        self.drawn: Images | None = None
        """What the model drew, before the warp's fine detail was put back."""

    def __len__(self) -> int:
        return len(self.indices)

    @cached_property
    def warped(self) -> Float[Tensor, "batch 6 height width"]:
        """The warped source, its masks and the clothed body's."""
        return warp_images(self.source_image, self.source, self.target, self.mask)

    @cached_property
    def warped_without_mask(self) -> Float[Tensor, "batch 6 height width"]:
        """The same, the person told by body and colours."""
        if self.mask is None:
            return self.warped
        return warp_images(self.source_image, self.source, self.target)

    @property
    def shown(self) -> Bool[Tensor, "batch height width"]:
        """Where the target's person is that the source shows, as the warp has it."""
        return self.warped[:, 3] > 0.5

    @property
    def hidden(self) -> Bool[Tensor, "batch height width"]:
        """Where the person is that the source does not show."""
        return (self.warped[:, 5] > 0.5) & ~self.shown


def _masks(
    data: ShardDataset, indices: list[int], device: torch.device
) -> Float[Tensor, "batch 1 height width"] | None:
    """Read the sources' masks; None where the samples have none, or not of all these."""
    if not all(data.headers[data.locate(index)[0]].get("coverage") for index in indices):
        return None
    masks = torch.stack([data.coverage(index, "source") for index in indices])
    if not masks.flatten(1).any(1).all():
        return None
    return masks[:, None].to(device) / 255.0


Draw = Callable[[Batch], Images]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the model is sampled."""

    steps: int
    guidance: Guidance
    seed: int = 0

    def noises(self, indices: list[int]) -> list[torch.Generator]:
        """Seed the noise of every pair by its number: batches and parts draw the same."""
        return [torch.Generator().manual_seed(self.seed * 1_000_003 + index) for index in indices]


def methods_of(
    pipeline: PoseTransferPipeline, sampling: Sampling, *, masked: bool
) -> dict[str, Draw]:
    """List the ways to draw, by name.

    Args:
        pipeline: the model.
        sampling: how it is sampled.
        masked: the pairs have masks; then the model and the warp are also tried without.
    """

    def sampled(batch: Batch, warped: Tensor, **switches: Any) -> Images:
        return pipeline(
            batch.source_image,
            batch.source,
            batch.target,
            warped=warped,
            num_inference_steps=sampling.steps,
            guidance=sampling.guidance,
            generator=sampling.noises(batch.indices),
            output_type="pt",
            **switches,
        ).images

    def without_mask(batch: Batch) -> Images:
        warped = batch.warped_without_mask
        return restore_detail(sampled(batch, warped, detail=False), warped, where_soft=True)

    def without_detail(batch: Batch) -> Images:
        batch.drawn = sampled(batch, batch.warped, detail=False)
        return batch.drawn

    def with_detail(batch: Batch) -> Images:
        drawn = without_detail(batch) if batch.drawn is None else batch.drawn
        return restore_detail(drawn, batch.warped, where_soft=True)

    methods: dict[str, Draw] = {
        "copy the source": lambda batch: batch.source_image,
        "paste the warp": _paste,
        "warp, holes filled": lambda batch: batch.warped[:, :3],
        "model, no detail": without_detail,
        "model": with_detail,
        "model, no warp": lambda batch: sampled(batch, batch.warped, warp=False),
        "model, no prior": lambda batch: sampled(batch, batch.warped, prior=False),
        "autoencoder alone": lambda batch: decode_latents(
            pipeline.vae, encode_image(pipeline.vae, batch.target_image)
        ),
    }
    if masked:
        methods["warp, no mask"] = lambda batch: batch.warped_without_mask[:, :3]
        methods["model, no mask"] = without_mask
    return methods


def _paste(batch: Batch) -> Images:
    masks = batch.target.visibility.mask
    return torch.stack([paste_warp(d, m) for d, m in zip(batch.warped, masks, strict=True)])
