"""`posexfer convert`: body parameters, motions and meshes of any kind as another kind of file."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..body.model import BodyModel
from ..body.motion import resample, resample_to_rate, slice_frames
from ..body.params import HumanParams
from ..body.pose_editing import mirrored
from ..body.smpl_files import open_body
from ..body.view import BodyView
from ..errors import OutputError, ParamsError
from ..export.bvh import save_bvh
from ..export.glb import glb_bytes
from ..export.skinned_glb import skinned_glb_bytes
from ..files.atomic import check_target, write_whole
from ..formats.meshcapade_smpl import save_smpl
from .options import (
    POSE_HELP,
    add_file_options,
    between,
    count,
    index,
    open_target,
    print_line,
)

HELP = "Convert body parameters, a motion or a mesh of any kind to .npz, .bvh, .glb or .smpl."

KEEPS_BETAS = (".npz", ".smpl")
"""Kinds of file that hold the betas of any body; for the others a body is posed."""

_rate = between(0.001, 10_000.0, "from 0.001 to 10000 frames per second")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "input",
        type=Path,
        metavar="IN",
        help=POSE_HELP,
    )
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help=".npz: our own parameters, with their camera; .bvh: skeleton and motion; .glb: body, "
        "skeleton and motion; .smpl: Meshcapade's. All but .npz show the motion as the camera "
        "sees it, y up, without the camera",
    )
    parser.add_argument(
        "--person", type=index, help="which person, from 0; needed where a file holds several"
    )
    frames = parser.add_mutually_exclusive_group()
    frames.add_argument("--frame", type=index, help="one frame, from 0 (default: all)")
    frames.add_argument(
        "--frames",
        type=frame_range,
        metavar="FROM:TO[:STEP]",
        help="frames FROM to TO - 1, counted from 0; either may be left out",
    )
    motion = parser.add_mutually_exclusive_group()
    motion.add_argument("--rate", type=_rate, help="resample to this many frames per second")
    motion.add_argument("--count", type=count, help="resample to this many frames")
    parser.add_argument(
        "--input-rate",
        type=_rate,
        help="frames per second of IN, where the file does not say or says otherwise",
    )
    parser.add_argument(
        "--mirror", action="store_true", help="swap left and right, as a flipped image does"
    )
    parser.add_argument(
        "--no-skeleton",
        action="store_true",
        help="of .glb: write the posed mesh of one frame alone, without skeleton and motion",
    )
    add_file_options(parser)


def frame_range(text: str) -> slice:
    """Read `FROM:TO` or `FROM:TO:STEP`; what is left out is the start, the end, and 1."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isdecimal() or not part for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM:TO or FROM:TO:STEP, as in 10:50")
    start, stop, step = (int(part) if part else None for part in [*parts, ""][:3])
    if step == 0 or (stop is not None and stop <= (start or 0)):
        raise argparse.ArgumentTypeError(f"{text!r} holds no frame: TO is the frame after the last")
    return slice(start or 0, stop, step or 1)


def run(options: argparse.Namespace) -> None:
    """Read, choose, resample, write."""
    suffix = options.output.suffix.lower()
    if suffix not in WRITERS:
        raise OutputError(
            f"{options.output} ends in {suffix!r}; written are {', '.join(WRITERS)}, by the end of "
            "the name."
        )
    check_target(options.output)
    params, body = open_target(
        options, options.input, open_body(options.body), keep_betas=suffix in KEEPS_BETAS
    )
    params = _chosen(params, options)
    if options.no_skeleton and suffix == ".glb":
        if params.frames > 1:
            raise ParamsError(
                f"A mesh without skeleton shows one frame, and there are {params.frames}; choose "
                "one with --frame."
            )
        write_whole(options.output, glb_bytes(BodyView.of(params, body)))
    else:
        WRITERS[suffix](params, body, options.output)
    print_line(str(options.output))


def _chosen(params: HumanParams, options: argparse.Namespace) -> HumanParams:
    """Keep, resample and mirror the frames that were asked for."""
    if options.input_rate is not None:
        params = replace(params, frame_rate=options.input_rate)
    if (wanted := options.frames) is not None:
        last = params.frames if wanted.stop is None else wanted.stop
        if not wanted.start < last <= params.frames:
            raise ParamsError(
                f"{options.input.name} has {params.frames} frame(s), counted from 0; frames "
                f"{wanted.start} to {last - 1} were asked for."
            )
        params = slice_frames(params, wanted.start, wanted.stop, wanted.step)
    if options.rate is not None:
        if params.frame_rate is None:
            raise ParamsError(
                f"{options.input.name} does not say how many frames a second has; give "
                "--input-rate, or a number of frames with --count."
            )
        params = resample_to_rate(params, options.rate)
    if options.count is not None:
        params = resample(params, options.count)
    return mirrored(params) if options.mirror else params


WRITERS: dict[str, Callable[[HumanParams, BodyModel, Path], None]] = {
    ".npz": lambda params, body, path: params.save(path),
    ".bvh": lambda params, body, path: save_bvh(params, body, path),
    ".glb": lambda params, body, path: write_whole(path, skinned_glb_bytes(params, body)),
    ".smpl": lambda params, body, path: save_smpl(params, path, body=body),
}
"""End of the name → what writes such a file."""
