"""Options that several commands share, and how their files are opened."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..formats.any_pose import read_posed
from ..formats.read import NAMES
from ..register.surface import Unit, Up

logger = logging.getLogger(__name__)

POSE_HELP = (
    "body parameters, ours (.npz) or another tool's (docs/formats.md), a motion (.bvh) or a mesh "
    "of a person (.obj, .ply, .stl, .glb, .vrm; docs/meshes.md)"
)
"""What `open_target` reads."""


def print_line(line: str) -> None:
    """Tell the user one line on standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def whole_size(text: str) -> tuple[int, int]:
    """Read `HxW` of any image, pixels."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not HxW in pixels, such as 1080x1920")
    return int(parts[0]), int(parts[1])


def image_size(text: str) -> tuple[int, int]:
    """Read `HxW` in pixels; both must be multiples of 8."""
    height, width = whole_size(text)
    if min(height, width) < 64 or max(height, width) > 2048 or height % 8 or width % 8:
        raise argparse.ArgumentTypeError(
            f"{text!r}: height and width must be multiples of 8 from 64 to 2048 pixels"
        )
    return height, width


def at_least(least: int, text: str) -> int:
    """Read a whole number that is not below `least`."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
    return int(text)


def between(least: float, most: float, what: str) -> Callable[[str], float]:
    """Return a reader of numbers from `least` to `most`; `what` names both in the error."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return read


def count(text: str) -> int:
    """Read a whole number from 1 up."""
    return at_least(1, text)


def index(text: str) -> int:
    """Read a whole number from 0 up."""
    return at_least(0, text)


def seed(text: str) -> int:
    """Read a seed: a whole number that torch's generator takes."""
    if at_least(0, text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not below 2^63")
    return int(text)


def add_pose_options(parser: argparse.ArgumentParser) -> None:
    """Add which frame and person of a pose is taken, and what may be said about its file."""
    parser.add_argument(
        "--frame", type=index, default=0, help="which frame of the pose, from 0 (default: 0)"
    )
    parser.add_argument(
        "--person", type=index, default=0, help="which person of the pose, from 0 (default: 0)"
    )
    add_file_options(parser)


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Add the body, and what may be said about a file that `open_target` reads."""
    add_body_option(parser)
    _add_format_options(parser)
    _add_mesh_options(parser)


def add_body_option(parser: argparse.ArgumentParser) -> None:
    """Add `--body`."""
    parser.add_argument(
        "--body",
        type=Path,
        metavar="FILE",
        help="your own SMPL, SMPL-H or SMPL-X file (.npz or .pkl; their licence forbids commercial "
        "use and needs the package smplx), or the word anny for the body of the package anny; "
        "default: the bundled body",
    )


def _add_format_options(parser: argparse.ArgumentParser) -> None:
    """Add `--format` and `--image-size` of parameter files."""
    parser.add_argument(
        "--format",
        choices=NAMES,
        metavar="NAME",
        help="what wrote the parameter file, where its content would be taken for something else: "
        f"{', '.join(NAMES)}",
    )
    parser.add_argument(
        "--image-size",
        "--picture-size",
        type=whole_size,
        metavar="HxW",
        help="height x width, pixels, of the image that the parameter file is about; needed for "
        "the right camera where the file does not hold it, which a warning says",
    )


def _add_mesh_options(parser: argparse.ArgumentParser) -> None:
    """Add `--mesh-unit` and `--mesh-up`."""
    parser.add_argument(
        "--mesh-unit",
        choices=get_args(Unit),
        default="auto",
        help="unit of a mesh's numbers; auto tells it by the area of the skin (default: auto)",
    )
    parser.add_argument(
        "--mesh-up",
        choices=get_args(Up),
        default="auto",
        help="axis of a mesh that points up; auto tries them all, GLB is y (default: auto)",
    )


def open_target(
    options: argparse.Namespace,
    path: Path,
    body: BodyModel,
    *,
    all_frames: bool = False,
    keep_betas: bool = False,
) -> tuple[HumanParams, BodyModel]:
    """Read a pose from a parameter file, a motion or a mesh, and the body that shows it.

    A mesh is shown by itself: the body of its own topology that registering makes of it. How well
    that went is logged.

    Args:
        options: `frame`, `person`, and what `add_file_options` added.
        path: of any kind; meshes are told by the ends of their names.
        body: that parameters are posed on, and that is fitted to meshes.
        all_frames: read every frame instead of the one asked for.
        keep_betas: leave betas of another body as they are; `body` cannot pose them then.
    """
    found = read_posed(
        path,
        body,
        frame=None if all_frames else options.frame,
        person=options.person,
        format=options.format,
        image_size=options.image_size,
        unit=options.mesh_unit,
        up=options.mesh_up,
        keep_betas=keep_betas,
    )
    for note in found.notes:
        logger.warning(note)
    return found.params, found.body
