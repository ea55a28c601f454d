"""`posexfer transfer`: the person of an image in the pose of a 3D body."""

import argparse
from pathlib import Path

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.smpl_files import open_body
from ..errors import ConfigError, ParamsError
from ..files.images import check_image_target, load_image, save_image
from ..formats.any_pose import is_mesh
from ..formats.body_family import convert_betas
from ..formats.read import NAMES, read_params
from ..geometry.camera import crop_intrinsics
from ..transfer.staging import IMAGE_SIZE, stage
from .drawing import add_drawing_options, open_sampler
from .estimate import fit_person
from .options import (
    POSE_HELP,
    add_pose_options,
    image_size,
    index,
    open_target,
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
        "neither, the warp is left out and the result is poorer",
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
        "--target", type=Path, required=True, metavar="FILE", help=f"the pose: {POSE_HELP}"
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
    add_pose_options(parser)


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
    staged = stage(
        image,
        source,
        target,
        target_body,
        size=options.size,
        retargeted=options.retarget,
        source_body=body,
    )
    result = open_sampler(options)(staged)
    if options.paste_back:
        result = staged.paste_back(result, image)
    save_image(result, options.out)
    print_line(str(options.out))


def source_params(
    options: argparse.Namespace, size: tuple[int, int], body: BodyModel
) -> HumanParams | None:
    """Read or fit the source's body, in the camera of the image of `size` (height, width).

    Raises:
        ParamsError: `--source-params` is a mesh, or of an image of another aspect.
    """
    if options.keypoints is not None:
        return fit_person(options.keypoints, size, body, options.source_person).params
    path: Path | None = options.source_params
    if path is None:
        return None
    if is_mesh(path):
        raise ParamsError(
            f"{path.name} is a mesh: it has a pose, but no place in an image. Give it as a "
            "target, and parameters or keypoints for the source."
        )
    params = read_params(
        path,
        format=options.source_format,
        frame=0,
        person=options.source_person,
        image_size=size,
        body=body,
    )
    return for_image_size(convert_betas(params, body), size)


def for_image_size(params: HumanParams, size: tuple[int, int]) -> HumanParams:
    """Give parameters the camera of the same image at another resolution.

    Args:
        params: with the camera of an image of the same aspect, within 2 %.
        size: height and width of the image at hand, pixels.

    Raises:
        ParamsError: the aspects differ, so they cannot be of the same image.
    """
    height, width = params.image_size
    vertical, horizontal = size[0] / height, size[1] / width
    if abs(vertical / horizontal - 1.0) > 0.02:
        raise ParamsError(
            f"The source's parameters belong to an image of {width}x{height} pixels (width x "
            f"height), but this one is {size[1]}x{size[0]}; give the parameters that were "
            "estimated from this image."
        )
    if params.image_size == size:
        return params
    return params.with_camera(crop_intrinsics(params.intrinsics, (0.0, 0.0), horizontal), size)
