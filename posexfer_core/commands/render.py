"""`posexfer render`: control maps of a posed body as images."""

import argparse
from pathlib import Path
from typing import get_args

from ..body.smpl_files import open_body
from ..body.view import BodyView
from ..files.atomic import make_folder
from ..files.images import save_image
from ..render import control_maps
from ..render.control_maps import MAPS, MapStyle, paint_maps
from ..transfer.framing import Framing, body_box
from .options import POSE_HELP, add_pose_options, image_size, open_target, print_line

HELP = "Draw control maps of a body: depth, normals, OpenPose and so on, one PNG each."
OLDER_NAMES = {"skeleton": "openpose"}
"""Names of maps that commands written earlier ask for."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("params", type=Path, help=POSE_HELP)
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNGs; made if new")
    parser.add_argument(
        "--maps",
        nargs="+",
        choices=[*MAPS, *OLDER_NAMES],
        default=MAPS,
        help="which maps, painted as by the node Render Body Maps: depth has near white, even in "
        "1/distance; normal is blue towards the camera and green up; openpose has 18 keypoints; "
        "parts has one colour for each of SMPL's 24 joints; canonical is the place on the rest "
        "body, x y z as red green blue; limbs has SCAIL's cylinders; skeleton is openpose's older "
        "name (default: all)",
    )
    parser.add_argument(
        "--size",
        type=image_size,
        metavar="HxW",
        help="pixels; frames the body in an image of this size (default: the file's own camera)",
    )
    _add_style_options(parser)
    add_pose_options(parser)


def _add_style_options(parser: argparse.ArgumentParser) -> None:
    """Describe the conventions in which control models differ."""
    parser.add_argument(
        "--depth-greys",
        choices=get_args(control_maps.Greys),
        default=MapStyle.depth_greys,
        help="body spreads the greys over the body alone; scene goes to black at infinity, as "
        "depth estimators do (default: body)",
    )
    parser.add_argument(
        "--normal-axes",
        choices=[axes.replace(" ", "-") for axes in get_args(control_maps.Axes)],
        default=MapStyle.normal_axes.replace(" ", "-"),
        help="red-left is ControlNet 1.1's; red-right is that of OpenGL (default: red-left)",
    )
    parser.add_argument(
        "--openpose-hides",
        choices=get_args(control_maps.Hiding),
        default=MapStyle.openpose_hides,
        help="which keypoints are left out where the body hides them (default: face)",
    )
    parser.add_argument(
        "--openpose-limbs",
        choices=get_args(control_maps.Limbs),
        default=MapStyle.openpose_limbs,
        help="wide is what xinsir's models for SDXL were trained on (default: standard)",
    )
    parser.add_argument(
        "--openpose-points",
        choices=[points.replace(" ", "-") for points in get_args(control_maps.Points)],
        default=MapStyle.openpose_points,
        help="what openpose and limbs show besides the body: hands, and the face where the body "
        "file has one (default: body)",
    )


def run(options: argparse.Namespace) -> None:
    """Draw every map that was asked for."""
    body = open_body(options.body)
    params, body = open_target(options, options.params, body)
    view = BodyView.of(params, body)
    if options.size is not None:
        view = Framing.around([body_box(view)], options.size).reframe(view)
    view.check_seen("file")
    make_folder(options.out)
    style = MapStyle(
        openpose_hides=options.openpose_hides,
        openpose_limbs=options.openpose_limbs,
        openpose_points=options.openpose_points.replace("-", " "),
        normal_axes=options.normal_axes.replace("-", " "),
        depth_greys=options.depth_greys,
    )
    names = {str(name): OLDER_NAMES.get(str(name), str(name)) for name in options.maps}
    for name, painted in names.items():  # one after the other: large ones fill the memory
        path = options.out / f"{name}.png"
        save_image(2.0 * paint_maps(view, [painted], style)[painted] - 1.0, path)
        print_line(str(path))
