"""`posexfer transfer`: the person of an image in the pose of a 3D body."""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.smpl_files import open_body
from ..errors import ConfigError, ParamsError
from ..files.animations import ANIMATIONS, check_animation_target, save_animation
from ..files.atomic import make_folder
from ..files.images import check_image_target, load_image, load_mask, load_opacity, save_image
from ..formats.any_pose import is_mesh
from ..formats.body_family import convert_betas
from ..formats.read import NAMES, read_params
from ..geometry.camera import crop_intrinsics
from ..network.config import LATENT_STRIDE
from ..transfer.staging import PHOTO_SIDE, Stage, stage
from ..warp.canvas import Outside
from ..warp.filters import dilate, gaussian_blur
from .drawing import METHODS, ImageTensor, add_drawing_options, draw_frames, open_sampler
from .drawing import speaks_of_network as network_asked
from .estimate import fit_person
from .options import (
    POSE_HELP,
    add_pose_options,
    image_size,
    index,
    open_target,
    print_line,
)
from .progress import progress_line

HELP = "Draw the person of an image in the pose of a body parameter file, a motion or a photo."
FRAME_RATE = 25.0
"""Of a motion that does not say its own, frames a second."""
logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("image", type=Path, help="image of the person, any size and aspect")
    _add_source_options(parser)
    _add_target_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="image to write; with --frames a folder, or an animation (.gif, .webp)",
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        help="warp: the photo's own pixels, carried along the body's surface; what it does not "
        "show takes the look of its like. network: the weights draw over that (default: warp; "
        "network where one of its options is given, or where the body in the image is not known)",
    )
    parser.add_argument(
        "--size",
        type=image_size,
        metavar="HxW",
        help="height x width of a frame around the person and the pose, pixels, multiples of 8 "
        f"(default: the whole photo, its longest side at most {PHOTO_SIDE} pixels)",
    )
    parser.add_argument(
        "--outside",
        choices=get_args(Outside),
        help="what becomes of a pose that leaves the photo: it is cut off, or the photo goes on in "
        "its mirror image or in texture made of its own (default: crop; fill with --size)",
    )
    parser.add_argument(
        "--paste-back",
        action="store_true",
        help="give the original photo, at its own resolution, with the person in the new pose",
    )
    add_drawing_options(parser)
    add_pose_options(parser)


def _add_source_options(parser: argparse.ArgumentParser) -> None:
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
        "neither, nothing can be warped and the result is poorer",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="an image that is white (or opaque) where the person is, of the image's size: clothes "
        "and hair move with the body then, and nothing of the person stays behind (default: how "
        "opaque the image is, if it is not opaque all over)",
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


def _add_target_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"the pose: {POSE_HELP}; or a photo of somebody in it, with --target-keypoints",
    )
    parser.add_argument(
        "--target-keypoints",
        type=Path,
        metavar="FILE.json",
        help="2D keypoints of the person in the photo that --target is",
    )
    parser.add_argument(
        "--frames",
        action="store_true",
        help="draw every frame of the target, all in one framing",
    )
    parser.add_argument(
        "--retarget",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="give the target's pose the source's shape, place and camera, feet on the same "
        "floor line; without, it keeps its own (default: on)",
    )


def run(options: argparse.Namespace) -> None:
    """Check everything first, draw, write one image or all frames."""
    _check_out(options)
    image = load_image(options.image)
    size = (image.shape[-2], image.shape[-1])
    mask = _mask(options)
    body = open_body(options.body)
    source = source_params(options, size, body, mask)
    if options.paste_back and (source is None or not options.retarget):
        raise ConfigError(
            "--paste-back needs the target in the source's camera: give --source-params or "
            "--keypoints, and leave out --no-retarget."
        )
    by_network = _by_network(options, known=source is not None)
    target, target_body = _target(options, body)
    own_pixels = options.paste_back and not by_network
    staged = stage(
        image,
        source,
        target,
        target_body,
        size=None if own_pixels else options.size,
        mask=mask,
        outside=_outside(options, own_pixels),
        longest=None if own_pixels else PHOTO_SIDE,
        multiple=LATENT_STRIDE if by_network else 1,
        retargeted=options.retarget,
        source_body=body,
    )
    pasted_into = image if options.paste_back and by_network else None
    results = _results(options, staged, by_network, pasted_into)
    if not options.frames:
        save_image(next(results), options.out)
    elif options.out.suffix.lower() in ANIMATIONS:
        save_animation(results, options.out, target.frame_rate or FRAME_RATE)
    else:
        for number, result in enumerate(results):
            save_image(result, options.out / f"{number:05d}.png")
    print_line(str(options.out))


def _check_out(options: argparse.Namespace) -> None:
    if not options.frames:
        check_image_target(options.out)
    elif options.out.suffix.lower() in ANIMATIONS:
        check_animation_target(options.out)
    else:
        make_folder(options.out)


def _mask(options: argparse.Namespace) -> Float[Tensor, "1 1 height width"] | None:
    """Read the person's mask, from the image itself where it is not opaque all over."""
    if options.mask is not None:
        return load_mask(options.mask)[None, None]
    opacity = load_opacity(options.image)
    if opacity is not None:
        logger.warning(
            "%s is not opaque all over; what is opaque is taken for the person.", options.image.name
        )
    return None if opacity is None else opacity[None, None]


def _by_network(options: argparse.Namespace, *, known: bool) -> bool:
    """Choose the method.

    Raises:
        ConfigError: the warp was asked for, but the body in the image is not known.
    """
    if options.method == "warp" and not known:
        raise ConfigError(
            "--method warp needs the body in the image: give --keypoints or --source-params."
        )
    if options.method is not None:
        return options.method == "network"
    if not known:
        logger.warning(
            "The body in the image is not known, so that the network draws without the photo's own "
            "pixels. Give --keypoints or --source-params for a much better result."
        )
    return not known or network_asked(options)


def _outside(options: argparse.Namespace, own_pixels: bool) -> Outside:
    if own_pixels:
        return "crop"
    return options.outside or ("crop" if options.size is None else "fill")


def _target(options: argparse.Namespace, body: BodyModel) -> tuple[HumanParams, BodyModel]:
    """Read the pose wanted, from a file or from a photo of somebody in it."""
    if options.target_keypoints is None:
        return open_target(options, options.target, body, all_frames=options.frames)
    shown = load_image(options.target)
    size = (shown.shape[-2], shown.shape[-1])
    fit = fit_person(options.target_keypoints, size, body, options.person)
    print_line(f"target: mean reprojection error: {fit.reprojection_px:.2f} px")
    return fit.params, body


def _results(
    options: argparse.Namespace, staged: Stage, by_network: bool, original: ImageTensor | None
) -> Iterator[ImageTensor]:
    """Draw every frame; what the network drew is pasted back into the original, if there is one."""
    sample = open_sampler(options) if by_network else None
    with progress_line("drawing", len(staged.target), "frames") as advance:
        for result, warp in draw_frames(staged, sample, options.leftovers):
            advance(1)
            if original is None or warp is None:
                yield result
            else:
                changed = gaussian_blur(dilate(~warp.background[:, 0], 2)[:, None].float(), 1.0)
                yield staged.paste_back(result, original, changed)


def source_params(
    options: argparse.Namespace,
    size: tuple[int, int],
    body: BodyModel,
    mask: Float[Tensor, "1 1 height width"] | None = None,
) -> HumanParams | None:
    """Read or fit the source's body, in the camera of the image of `size` (height, width).

    Raises:
        ParamsError: `--source-params` is a mesh, or of an image of another aspect.
    """
    if options.keypoints is not None:
        return fit_person(options.keypoints, size, body, options.source_person, mask).params
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
