"""`posexfer transfer`: the person of an image in the pose of a 3D body."""

import argparse
from pathlib import Path

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import ConfigError
from ..files.images import check_image_target, load_image, save_image
from ..formats.read import NAMES
from ..transfer.staging import IMAGE_SIZE, Stage, stage
from .drawing import Artist, add_drawing_options
from .estimate import fit_person
from .options import (
    add_body_option,
    add_format_options,
    add_mesh_options,
    image_size,
    index,
    open_body,
    open_params,
    open_target,
    params_for_image,
    print_line,
)

HELP = "Draw the person of an image in the pose of a body parameter file."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "image",
        type=Path,
        help="image of the person, any size and aspect; it is framed on the person by padding",
    )
    known = parser.add_mutually_exclusive_group()
    known.add_argument(
        "--source-params",
        type=Path,
        metavar="FILE",
        help="body parameters of the person in the image, as `posexfer estimate` or another tool "
        "writes them (docs/formats.md)",
    )
    known.add_argument(
        "--keypoints",
        type=Path,
        metavar="FILE.json",
        help="2D keypoints of the person in the image; the body is fitted to them. With "
        "neither, nothing is known of the person's body, and the result is poorer",
    )
    parser.add_argument(
        "--source-person",
        type=index,
        default=0,
        help="which person of the source's file, from 0 (default: 0)",
    )
    parser.add_argument(
        "--source-format",
        choices=NAMES,
        metavar="NAME",
        help="as --format, of --source-params",
    )
    parser.add_argument(
        "--target",
        type=Path,
        required=True,
        metavar="FILE",
        help="the pose: body parameters, ours (.npz) or another tool's (docs/formats.md), a motion "
        "(.bvh) or a mesh of a person (.obj, .ply, .glb; docs/meshes.md)",
    )
    parser.add_argument(
        "--frame", type=index, default=0, help="which frame of the target, from 0 (default: 0)"
    )
    parser.add_argument(
        "--person", type=index, default=0, help="which person of the target, from 0 (default: 0)"
    )
    parser.add_argument(
        "--retarget",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="give the target's pose the source's shape, place and camera, feet on the same "
        "floor line; without, it keeps its own (default: on)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.png", help="image to write"
    )
    parser.add_argument(
        "--size",
        type=image_size,
        default=IMAGE_SIZE,
        metavar="HxW",
        help="height x width to draw, pixels, multiples of 8 (default: 256x176)",
    )
    parser.add_argument(
        "--paste-back",
        action="store_true",
        help="undo the framing: put the result into the original image, at its resolution",
    )
    add_drawing_options(parser)
    add_body_option(parser)
    add_format_options(parser)
    add_mesh_options(parser)


def run(options: argparse.Namespace) -> None:
    """Check everything first, draw, write one image."""
    check_image_target(options.out)
    image = load_image(options.image)
    body = open_body(options.body)
    source = source_params(options, (image.shape[-2], image.shape[-1]), body)
    if options.paste_back and (source is None or not options.retarget):
        raise ConfigError(
            "--paste-back needs the target in the source's camera: give --source-params or "
            "--keypoints, and leave out --no-retarget."
        )
    target, target_body = open_target(options, options.target, body)
    staged: Stage = stage(
        image,
        source,
        target,
        target_body,
        size=options.size,
        retargeted=options.retarget,
        source_body=body,
    )
    result = Artist.open(options).draw(staged)
    if options.paste_back:
        result = staged.paste_back(result, image)
    save_image(result, options.out)
    print_line(str(options.out))


def source_params(
    options: argparse.Namespace, size: tuple[int, int], body: BodyModel
) -> HumanParams | None:
    """Read or fit the source's body, in the camera of the image of `size` (height, width)."""
    if options.keypoints is not None:
        return fit_person(options.keypoints, size, body, options.source_person).params
    if options.source_params is None:
        return None
    params = open_params(
        options.source_params,
        body,
        person=options.source_person,
        format=options.source_format,
        image_size=size,
    )
    return params_for_image(params, size)
