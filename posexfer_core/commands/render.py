"""`posexfer render`: the maps of a body parameter file as images."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..body.view import BodyView
from ..conventions import DEPTH_LIMIT_M
from ..files.atomic import make_folder
from ..files.images import save_image
from ..render.maps import canonical_map, depth_map, mask_map, normal_map, parts_map, skeleton_map
from ..transfer.framing import Framing, body_box
from .options import (
    add_body_option,
    add_format_options,
    add_mesh_options,
    image_size,
    index,
    open_body,
    open_target,
    print_line,
)

HELP = "Draw what the network is told of a body: mask, depth, normals and so on, one PNG each."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "params",
        type=Path,
        help="body parameters, ours (.npz) or another tool's (docs/formats.md), a motion "
        "(.bvh) or a mesh of a person (.obj, .ply, .glb; docs/meshes.md)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNGs; made if new")
    parser.add_argument("--frame", type=index, default=0, help="which frame, from 0 (default: 0)")
    parser.add_argument("--person", type=index, default=0, help="which person, from 0 (default: 0)")
    parser.add_argument(
        "--maps",
        nargs="+",
        choices=sorted(PAINTERS),
        default=list(PAINTERS),
        help="which maps: depth is white 1.5 m before the pelvis and black 1.5 m behind it; "
        "normal is red right, green up, blue towards the camera; canonical is the place on the "
        "rest body, x y z as red green blue; parts has one colour per joint (default: all)",
    )
    parser.add_argument(
        "--size",
        type=image_size,
        metavar="HxW",
        help="pixels; frames the body in an image of this size (default: the file's own camera)",
    )
    add_body_option(parser)
    add_format_options(parser)
    add_mesh_options(parser)


def run(options: argparse.Namespace) -> None:
    """Draw every map that was asked for."""
    body = open_body(options.body)
    params, body = open_target(options, options.params, body)
    view = BodyView.of(params, body)
    if options.size is not None:
        framing = Framing.around([body_box(view)], options.size)
        view = view.reframed(framing.offset_xy, framing.scale, framing.size)
    view.check_seen("file")
    make_folder(options.out)
    for name in options.maps:
        path = options.out / f"{name}.png"
        save_image(2.0 * PAINTERS[name](view) - 1.0, path)
        print_line(str(path))


def paint_mask(view: BodyView) -> Tensor:
    """White on black."""
    return mask_map(view).expand(-1, 3, -1, -1)


def paint_depth(view: BodyView) -> Tensor:
    """Nearer is lighter; off the body black."""
    nearness = 0.5 - depth_map(view) / (2.0 * DEPTH_LIMIT_M)
    return (nearness * mask_map(view)).expand(-1, 3, -1, -1)


def paint_normal(view: BodyView) -> Tensor:
    """Red right, green up, blue towards the camera, as normal maps are usually painted."""
    usual = normal_map(view) * torch.tensor([1.0, -1.0, -1.0])[:, None, None]
    return (0.5 + 0.5 * usual) * mask_map(view)


def paint_canonical(view: BodyView) -> Tensor:
    """Red, green and blue for x, y and z."""
    return (0.5 + 0.45 * canonical_map(view)).clamp(0.0, 1.0) * mask_map(view)


def paint_parts(view: BodyView) -> Tensor:
    """One colour per joint, far apart in hue for neighbours."""
    hue = torch.arange(24) * 0.618034 % 1.0
    turns = torch.stack([hue, hue + 1 / 3, hue + 2 / 3], dim=1)
    palette = 0.55 + 0.4 * torch.cos(2 * torch.pi * turns)
    labels = parts_map(view)
    colours = palette[labels.clamp(min=0)].movedim(-1, 1)
    return colours * (labels >= 0)[:, None]


PAINTERS: dict[str, Callable[[BodyView], Tensor]] = {
    "mask": paint_mask,
    "depth": paint_depth,
    "normal": paint_normal,
    "canonical": paint_canonical,
    "parts": paint_parts,
    "skeleton": skeleton_map,
}
"""Map → RGB in [0, 1]."""
