"""What is scored: trained arms, the warp, weights of the product, folders of images."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posexfer_core.body.view import BodyView
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.files.images import load_image
from posexfer_core.network.colour_carrier import carry_colours, point_colours
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import Ablation, NetworkConfig
from posexfer_core.render.part_labels import part_shares
from posexfer_core.transfer.inputs import body_points, place_points, prepare_inputs
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source

from ..arms.catalogue import ARMS
from ..arms.pairs import POINTS, tell
from ..arms.task import ArmRun, load_arm
from .files import TwinRow, TwinsError, the_body
from .measures import Drawn, Image, Method
from .overlaps import GROUPS, group_of_part

CARRYING = NetworkConfig(points=2_048, ablation=Ablation(maps=("plate",), prior_2d=False))
"""What carried colours are drawn from at the truths' size."""
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


def arm(run: ArmRun, depths: Depths | None = None) -> Method:
    """Score a trained arm.

    Args:
        run: that trained it.
        depths: gives the points other depths; maps stay.
    """
    model = load_arm(run.bundle, ARMS[run.arm])
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
    drawn = [rows[i] for i in order]
    after = {row.number: other for row, other in zip(drawn, [*drawn[1:], drawn[0]], strict=True)}

    def change(row: TwinRow, z: Float[Tensor, "2 points"]) -> Float[Tensor, "2 points"]:
        view = BodyView.of(after[row.number].params("a"), the_body())
        points, _ = place_points(view, POINTS)
        return points[..., 2].expand_as(z)

    return change


def carried(factor: int) -> Method:
    """Score what points carry of the source: 3D points, no map of the target and no training.

    Drawn at the truths' size from `CARRYING.points`, laid over the plate.
    """

    @torch.no_grad()
    def draw(row: TwinRow) -> Drawn:
        image, source = row.images["source"][None], BodyView.of(row.params("source"), the_body())
        views = [BodyView.of(row.params(name), the_body()) for name in ("a", "b")]
        told = [
            prepare_inputs(
                image, source, view, None, config=CARRYING, mask=row.coverage("source")[None]
            )
            for view in views
        ]
        inputs = _joined(told[0], told[1])
        colours = point_colours(told[0])
        values = torch.cat([colours, _point_groups(views[0])[None]], -1).expand(2, -1, -1)
        found = carry_colours(inputs, stride=1, values=values)
        mirrored = carry_colours(
            inputs.with_depth(-inputs.points[..., 2]), stride=1, values=values[..., :3]
        )
        a, b, *turned = (
            _judged(plate + each[-1:] * (each[:3] - plate), row, factor)
            for plate, each in zip(
                inputs.maps["plate"].repeat(2, 1, 1, 1), [*found, *mirrored], strict=True
            )
        )
        parts = [_judged(each[3:-1] * each[-1:], row, factor) for each in found]
        return Drawn(a=a, b=b, mirrored=(turned[0], turned[1]), parts=(parts[0], parts[1]))

    return draw


def _point_groups(view: BodyView) -> Float[Tensor, "points groups"]:
    """Give every point to one of `GROUPS`."""
    points = body_points(view, CARRYING.points)
    corners = part_shares(view.parts, view.faces)[view.faces[points.face].long()]
    parts = (points.barycentric[..., None] * corners).sum(1).argmax(-1)
    return F.one_hot(group_of_part()[parts], len(GROUPS)).float()


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
        return Drawn(a=_judged(a, row, factor), b=_judged(b, row, factor))

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
        a, b = (
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
        )
        return Drawn(a=_judged(a, row, factor), b=_judged(b, row, factor))

    return draw


def folder_of_images(folder: Path, factor: int = 1) -> Method:
    """Score somebody else's outputs: `0000_a.png` and `0000_b.png`, by the number of the twin.

    Args:
        folder: of images of any size.
        factor: how many times smaller than the truths they are judged.

    Raises:
        TwinsError: an image is missing.
    """

    def draw(row: TwinRow) -> Drawn:
        found = []
        for name in ("a", "b"):
            path = folder / f"{row.number:04d}_{name}.png"
            if not path.exists():
                raise TwinsError(
                    f"{path} is missing. Expected an image for both poses of every twin.\n"
                    "Write the inputs by --export, draw them all, or lower --each."
                )
            found.append(_judged(load_image(path)[0], row, factor))
        return Drawn(a=found[0], b=found[1])

    return draw


def _judged(image: Image, row: TwinRow, factor: int) -> Image:
    """Bring an image of any size to the size that is judged, so many times below the truths'."""
    height, width = (side // factor for side in row.images["a"].shape[-2:])
    return F.interpolate(image[None], size=(height, width), mode="area")[0]
