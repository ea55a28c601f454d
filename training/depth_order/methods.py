"""What is scored: trained arms, the warp, weights of the product, folders of images."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from posexfer_core.body.view import BodyView
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.files.images import load_image
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.transfer.inputs import place_points
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source

from ..arms.catalogue import ARMS
from ..arms.pairs import POINTS, tell
from ..arms.task import load_arm
from .files import TwinRow, TwinsError, the_body
from .measures import Drawn, Method
from .painters import resized

Depths = Callable[[TwinRow, Float[Tensor, "2 points"]], Float[Tensor, "2 points"]]
"""Changes the depths of the points of both poses."""


@lru_cache(maxsize=2)
def _told(row: TwinRow) -> ConditionInputs:
    """Tell both poses of a twin, once for all arms."""
    told = [
        tell(
            row.images["source"],
            row.params("source"),
            row.params(name),
            the_body(),
            row.coverage("source"),
        )
        for name in ("a", "b")
    ]
    return _joined(told[0], told[1])


def _joined(first: ConditionInputs, second: ConditionInputs) -> ConditionInputs:
    """Put two inputs behind each other along the batch."""
    others = _tensors(second)
    return first.map_tensors(lambda tensor: torch.cat([tensor, others.pop(0)]))


def _tensors(inputs: ConditionInputs) -> list[Tensor]:
    """List the tensors in the order of `map_tensors`."""
    found: list[Tensor] = []
    inputs.map_tensors(lambda tensor: found.append(tensor) or tensor)
    return found


def arm(folder: Path, name: str, seed: int = 0, depths: Depths | None = None) -> Method:
    """Score a trained arm.

    Args:
        folder: of `python -m training.arms`.
        name: of the arm.
        seed: that it was trained with.
        depths: gives the points other depths; maps stay.
    """
    model = load_arm(folder / f"{name}-{seed}" / "bundle.safetensors", ARMS[name])
    config = model.network.config
    has_points = config.ablation.control_3d and config.pose_from == "points"

    @torch.no_grad()
    def draw(row: TwinRow) -> Drawn:
        inputs = _told(row)
        if depths is not None:
            inputs = inputs.with_depth(depths(row, inputs.points[..., 2]))
        a, b = model.draw(inputs)
        if not has_points or depths is not None:
            return Drawn(a=a, b=b)
        mirrored = model.draw(inputs.with_depth(-inputs.points[..., 2]))
        return Drawn(a=a, b=b, mirrored=(mirrored[0], mirrored[1]))

    return draw


def no_depth(row: TwinRow, z: Float[Tensor, "2 points"]) -> Float[Tensor, "2 points"]:
    """Take all depths away."""
    return torch.zeros_like(z)


def depth_of_another(rows: list[TwinRow]) -> Depths:
    """Give everyone the depths of the first pose of another twin, always the same one."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    successor = {order[i]: order[(i + 1) % len(order)] for i in range(len(order))}

    def change(row: TwinRow, z: Float[Tensor, "2 points"]) -> Float[Tensor, "2 points"]:
        other = rows[successor[row.number]]
        points, _ = place_points(BodyView.of(other.params("a"), the_body()), POINTS)
        return points[..., 2].expand_as(z)

    return change


def warp(factor: int) -> Method:
    """Score the product's default: the source's pixels, carried by geometry."""

    @torch.no_grad()
    def draw(row: TwinRow) -> Drawn:
        source = BodyView.of(row.params("source"), the_body())
        mask = row.coverage("source")[None]
        prepared = prepare_source(row.images["source"][None], source, mask)
        a, b = (
            pose_source(prepared, BodyView.of(row.params(name), the_body())).image[0]
            for name in ("a", "b")
        )
        size = a.shape[-2] // factor, a.shape[-1] // factor
        return Drawn(a=resized(a, size), b=resized(b, size))

    return draw


def bundle(weights: Path, factor: int, *, steps: int, warped: bool) -> Method:
    """Score weights of the product, with the same noise for both poses.

    Args:
        weights: a .safetensors file with its own UNet.
        factor: how many times smaller the images are judged.
        steps: of sampling.
        warped: off, the network is not given the warp.
    """
    pipeline = PoseTransferPipeline.from_bundle(weights)
    pipeline.set_progress_bar_config(disable=True)

    @torch.no_grad()
    def draw(row: TwinRow) -> Drawn:
        source = BodyView.of(row.params("source"), the_body())
        drawn = [
            pipeline(
                row.images["source"][None],
                source,
                BodyView.of(row.params(name), the_body()),
                num_inference_steps=steps,
                generator=torch.Generator().manual_seed(0),
                output_type="pt",
                warp=warped,
            ).images[0]
            for name in ("a", "b")
        ]
        size = drawn[0].shape[-2] // factor, drawn[0].shape[-1] // factor
        return Drawn(a=resized(drawn[0], size), b=resized(drawn[1], size))

    return draw


def folder_of_images(folder: Path) -> Method:
    """Score somebody else's outputs: `0000_a.png` and `0000_b.png`, by the number of the twin.

    Raises:
        TwinsError: an image is missing.
    """

    def draw(row: TwinRow) -> Drawn:
        height, width = row.images["a"].shape[-2:]
        found = []
        for name in ("a", "b"):
            path = folder / f"{row.number:04d}_{name}.png"
            if not path.exists():
                raise TwinsError(
                    f"{path} is missing. Expected an image for both poses of every twin.\n"
                    "Write the inputs by --export, draw them all, or lower --each."
                )
            found.append(resized(load_image(path)[0], (height, width)))
        return Drawn(a=found[0], b=found[1])

    return draw
