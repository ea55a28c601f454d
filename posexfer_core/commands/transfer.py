"""`posexfer transfer`: the person of an image in the pose of a 3D body."""

import argparse
import logging
from collections.abc import Generator
from pathlib import Path
from typing import get_args

from PIL import Image

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.smpl_files import open_body
from ..errors import ConfigError, OutputError
from ..files.animations import ANIMATIONS, save_animation
from ..files.atomic import check_target, make_folder
from ..files.images import SUFFIXES, load_image, save_pil
from ..network.config import LATENT_STRIDE
from ..transfer.framing import Outside
from ..transfer.staging import PHOTO_SIDE, Stage, stage
from .drawing import (
    METHODS,
    ImageTensor,
    add_drawing_options,
    draw_by_network,
    draw_by_warp,
    open_sampler,
)
from .drawing import speaks_of_network as network_asked
from .estimate import fit_person, open_people
from .options import (
    POSE_HELP,
    add_pose_options,
    image_size,
    open_target,
    print_line,
)
from .person_in_photo import PHOTO_SUFFIXES, person_in_photo
from .progress import progress_line
from .source import add_source_options, open_also, open_source

HELP = "Draw the person of an image in the pose of a body parameter file, a motion or a photo."
FRAME_RATE = 25.0
"""Of a motion that does not say its own, frames a second."""
NO_FOLDERS = (*SUFFIXES, ".mp4", ".mov", ".avi", ".mkv", ".webm")
"""Ends of names that are meant for one image or a video, not for a folder of frames."""
logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("image", type=Path, help="image of the person, any size and aspect")
    add_source_options(parser)
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
        "network where one of its options is given)",
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
        "its mirror image, sharp or ever softer (default: crop; fill with --size)",
    )
    parser.add_argument(
        "--paste-back",
        action="store_true",
        help="give the original photo, at its own resolution, with the person in the new pose",
    )
    add_drawing_options(parser)
    add_pose_options(parser)


def _add_target_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"the pose: {POSE_HELP}; or a photo of somebody in it",
    )
    parser.add_argument(
        "--target-keypoints",
        type=Path,
        metavar="FILE.json",
        help="2D keypoints of the person in the photo that --target is (default: found as those of "
        "the image are)",
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
    if options.frames and options.frame:
        raise ConfigError("--frames draws every frame and --frame names one: leave out either.")
    _check_out(options)
    image = load_image(options.image)
    if options.paste_back and not options.retarget:
        raise ConfigError(
            "--paste-back needs the target in the source's camera: leave out --no-retarget."
        )
    body = open_body(options.body)
    source = open_source(options, image, body)
    by_network = _by_network(options)
    target, target_body = _target(options, body)
    own_pixels = options.paste_back and not by_network
    staged = stage(
        image,
        source.params,
        target,
        target_body,
        size=None if own_pixels else options.size,
        mask=source.mask,
        others=source.others,
        also=open_also(options, body),
        outside=_outside(options, own_pixels),
        longest=None if own_pixels else PHOTO_SIDE,
        multiple=LATENT_STRIDE if by_network else 1,
        retargeted=options.retarget,
        source_body=body,
    )
    pasted_into = image if options.paste_back and by_network else None
    results = _results(options, staged, by_network, pasted_into)
    del image, source, staged  # large ones fill the memory
    if not options.frames:
        save_pil(next(results), options.out)
    elif options.out.suffix.lower() in ANIMATIONS:
        save_animation(results, options.out, target.frame_rate or FRAME_RATE)
    else:
        for number in range(target.frames):
            save_pil(next(results), options.out / f"{number:05d}.png")
    results.close()
    print_line(str(options.out))


def _check_out(options: argparse.Namespace) -> None:
    if not options.frames:
        check_target(options.out, SUFFIXES)
    elif options.out.suffix.lower() in ANIMATIONS:
        check_target(options.out, ANIMATIONS)
    elif options.out.suffix.lower() in NO_FOLDERS and not options.out.is_dir():
        raise OutputError(
            f"{options.out} ends in {options.out.suffix!r}; with --frames expected a folder, or an "
            f"animation: {', '.join(ANIMATIONS)}."
        )
    else:
        make_folder(options.out)


def _by_network(options: argparse.Namespace) -> bool:
    """Tell who draws.

    Raises:
        ConfigError: the warp is to draw, by options that only the network has.
    """
    if options.method == "warp" and network_asked(options):
        raise ConfigError(
            "--method warp has no use for the network's options (--weights, --steps, --seed, "
            "--guidance-pose, --guidance-identity, --no-prior, --no-warp): leave them out, or "
            "take --method network."
        )
    return options.method == "network" or (options.method is None and network_asked(options))


def _outside(options: argparse.Namespace, own_pixels: bool) -> Outside:
    if own_pixels:
        if options.size is not None or options.outside not in (None, "crop"):
            logger.warning(
                "--paste-back gives the whole photo as it is; --size and --outside count for "
                "nothing unless --method is network."
            )
        return "crop"
    return options.outside or ("crop" if options.size is None else "fill")


def _target(options: argparse.Namespace, body: BodyModel) -> tuple[HumanParams, BodyModel]:
    """Read the pose wanted, from a file or from a photo of somebody in it."""
    keypoints, path = options.target_keypoints, options.target
    if keypoints is None and path.suffix.lower() not in PHOTO_SUFFIXES:
        return open_target(options, path, body, all_frames=options.frames)
    shown = load_image(path)
    if keypoints is None:
        found = person_in_photo(
            path, shown, person=options.person, body=body, detector=options.detector
        )
        return found.params, body
    size = (shown.shape[-2], shown.shape[-1])
    fit = fit_person(open_people(keypoints, size, path.name).person(options.person), body)
    print_line(f"target: mean reprojection error: {fit.reprojection_px:.2f} px")
    return fit.params, body


def _results(
    options: argparse.Namespace, staged: Stage, by_network: bool, original: ImageTensor | None
) -> Generator[Image.Image, None, None]:
    """Draw every frame."""
    count = len(staged.target)
    if by_network:
        sample = open_sampler(options)
        results = draw_by_network(staged, sample, options.leftovers, options.skirt, original)
    else:
        results = draw_by_warp(staged, options.leftovers, options.skirt)
    del staged, original  # large ones fill the memory
    with progress_line("drawing", count, "frames") as advance:
        for result in results:
            advance(1)
            yield result
            del result
