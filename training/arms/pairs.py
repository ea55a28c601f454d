"""Pairs of a set of shards, smaller, with everything that any arm is told.

Networks read images of half the shards' size and draw at a quarter: 64x44 pixels where shards have
256x176. Computed once and kept as bytes, a file beside every shard.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.files.images import to_bytes
from posexfer_core.geometry.camera import pixels_to_ndc, project_perspective
from posexfer_core.geometry.points import locate_points, sample_surface_points
from posexfer_core.geometry.rotations import matrix_to_rotation_6d
from posexfer_core.geometry.visibility import surface_warp
from posexfer_core.network.colour_carrier import carry_colours
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, Ablation, NetworkConfig
from posexfer_core.transfer.inputs import prepare_inputs
from posexfer_core.warp.background import fill_holes

from ..data.prepared import (
    KeptRows,
    check_stamp,
    decode_planes,
    encode_planes,
    is_made,
    prepared_names,
    write_rows,
)
from ..data.shards import ShardDataset, image_of
from ..processes import in_order

READ, DRAWN = 2, 4
"""How many times smaller than the shards' images a network reads and draws."""
CARRIED = DRAWN // READ
"""Pixels that a network reads to one pixel of the colours that points carry."""
POINTS = 512
KIND = "small"
STAMP = {"version": 2, "read": READ, "drawn": DRAWN, "points": POINTS}
EVERYTHING = NetworkConfig(
    points=POINTS, point_normals=True, ablation=Ablation(maps=tuple(MAP_CHANNELS))
)


def tell(
    image: Float[Tensor, "3 height width"],
    source: HumanParams,
    target: HumanParams,
    body: BodyModel,
    mask: Float[Tensor, "1 height width"] | None,
) -> ConditionInputs:
    """Compute what arms are told of one source and one target, with a batch of one.

    Args:
        image: the source, at the shards' size, in [-1, 1].
        source: the body in it.
        target: the body wanted.
        body: the model of both.
        mask: share of the person in each pixel of the source.
    """
    small = F.avg_pool2d(image[None], READ)
    shown = None if mask is None else F.avg_pool2d(mask[None], READ)
    size = (small.shape[-2], small.shape[-1])
    views = [
        BodyView.of(params, body).reframed((0.0, 0.0), 1.0 / READ, size)
        for params in (source, target)
    ]
    inputs = prepare_inputs(small, views[0], views[1], None, config=EVERYTHING, mask=shown)
    maps = inputs.maps | {"warp": bare_warp(small, views[0], views[1], inputs.maps["plate"])}
    maps["carried"] = F.interpolate(carry_colours(inputs, stride=CARRIED), size=size)
    return replace(inputs, maps=maps, body_vector=body_vector(target, views[1]))


def bare_warp(
    image: Float[Tensor, "1 3 height width"],
    source: BodyView,
    target: BodyView,
    plate: Float[Tensor, "1 3 height width"],
) -> Float[Tensor, "1 5 height width"]:
    """Carry the source's colours along the bare surface, over the plate.

    A tenth of the work of `warp_to_pose`, whose shell and borrowed looks are finer than what is
    drawn here. Colours, where they are the source's own, and where no body was or is.
    """
    found = surface_warp(
        source.vertices,
        source.visibility,
        source.intrinsics,
        source.size,
        target.visibility,
        target.faces,
    )
    colours = F.grid_sample(image, found.grid, align_corners=False)
    visible, body = found.visible[:, None], target.visibility.mask[:, None].to(image)
    person = fill_holes(colours, visible)
    clear = (1.0 - body) * (1.0 - source.visibility.mask[:, None].to(image))
    return torch.cat([plate + body * (person - plate), visible, clear], 1)


def body_vector(params: HumanParams, view: BodyView) -> Float[Tensor, "1 157"]:
    """Write a body as numbers: rotations as two columns each, betas, and a weak camera.

    The camera is the pelvis in NDC and the logarithm of halves of the image's height per metre.
    """
    pelvis = pixels_to_ndc(project_perspective(view.joints[:, :1], view.intrinsics), view.size)
    scale = (2.0 * view.intrinsics[:, 1, 1] / view.size[0] / view.root_depth).log()
    columns = matrix_to_rotation_6d(params.rotations[0, :1]).flatten(1)
    return torch.cat([columns, params.betas[0, :1], pelvis[:, 0], scale[:, None]], 1)


def stored(inputs: ConditionInputs) -> dict[str, Tensor]:
    """Carry what one network would read to bytes; `restored` carries it back."""
    assert inputs.normals is not None and inputs.body_vector is not None
    return {
        "planes": encode_planes({**inputs.maps, "source_maps": inputs.source_maps})[0],
        "image": to_bytes(inputs.image[0]),
        "plate": to_bytes(inputs.maps["plate"][0]),
        "carried": to_bytes(F.avg_pool2d(inputs.maps["carried"], CARRIED)[0]),
        "points": inputs.points[0].half(),
        "normals": inputs.normals[0].half(),
        "vector": inputs.body_vector[0],
    }


def restored(batch: dict[str, Tensor]) -> ConditionInputs:
    """Carry stored bytes to what networks read."""
    maps = decode_planes(batch["planes"])
    maps["plate"] = _from_bytes(batch["plate"])
    maps["carried"] = F.interpolate(_from_bytes(batch["carried"]), scale_factor=CARRIED)
    return ConditionInputs(
        image=_from_bytes(batch["image"]),
        source_maps=maps.pop("source_maps"),
        points=batch["points"].float(),
        points_canonical=_canonical()
        .to(batch["points"].device)
        .expand(len(batch["points"]), -1, -1),
        normals=batch["normals"].float(),
        body_vector=batch["vector"],
        maps=maps,
    )


class SmallPairs(KeptRows):
    """Reads what `prepare_small` wrote.

    That is what `stored` has, the truth, its person, and the source's parameters.
    """

    def __init__(self, data: ShardDataset, folder: Path) -> None:
        super().__init__(data, folder, KIND)


def prepare_small(data: ShardDataset, folder: Path, *, workers: int = 1) -> None:
    """Compute the rows of every shard that has none yet, or those of another shard.

    Raises:
        ConfigError: the folder was made with other sizes, or by another version.
        ShardError: the shards hold people without masks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    otherwise = f"other settings or by another version; expected {STAMP}. Remove it."
    check_stamp(folder / "small.json", STAMP, otherwise)
    work = [
        (data.folder, shard, folder / name)
        for shard, name in enumerate(prepared_names(data, KIND))
        if not is_made(folder / name, data.headers[shard])
    ]
    done = in_order(_prepare_shard, work, workers=workers)
    list(tqdm(done, total=len(work), desc="preparing shards", disable=not work))


@torch.no_grad()
def _prepare_shard(work: tuple[Path, int, Path]) -> None:
    data, body = ShardDataset(work[0]), BodyModel.bundled()
    rows = []
    for index in range(*data.starts[work[1] : work[1] + 2]):
        pair = data.pair(index)
        masks = [data.coverage(index, role)[None] / 255.0 for role in ("source", "target")]
        told = tell(pair.source_image, pair.source, pair.target, body, masks[0])
        rows.append(
            stored(told)
            | {
                "truth": to_bytes(F.avg_pool2d(pair.target_image, DRAWN)),
                "person": (F.avg_pool2d(masks[1], DRAWN)[0] * 255.0).round().to(torch.uint8),
                "rotations": pair.source.rotations[0, 0],
                "betas": pair.source.betas[0, 0],
            }
        )
    write_rows(work[2], rows, data.headers[work[1]])


def truth_of(batch: dict[str, Tensor]) -> Float[Tensor, "batch 3 height width"]:
    """Carry the stored truth to [-1, 1]."""
    return _from_bytes(batch["truth"])


def person_of(batch: dict[str, Tensor]) -> Float[Tensor, "batch 1 height width"]:
    """Give the share of the person in each pixel of the truth."""
    return batch["person"][:, None].float() / 255.0


@cache
def _canonical() -> Float[Tensor, "1 points 3"]:
    """Place the points on the rest body."""
    body = BodyModel.bundled()
    points = sample_surface_points(body.canonical, body.faces, POINTS)
    return locate_points(points, body.canonical[None], body.faces)


def _from_bytes(levels: UInt8[Tensor, "batch height width c"]) -> Float[Tensor, "batch c h w"]:
    return torch.stack([image_of(each) for each in levels])
