"""`posexfer estimate`: a 3D body from the keypoints of a picture, or roughly from it alone."""

import argparse
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from ..body.estimate.fit import FitResult, fit_keypoints
from ..body.estimate.keypoints import load_keypoints
from ..body.estimate.regress import regress_body
from ..body.model import BodyModel
from ..body.overlay import overlay_body
from ..body.params import HumanParams
from ..body.view import BodyView
from ..errors import KeypointsError, OutputError
from ..pictures import check_picture_target, check_target, load_picture, save_picture
from .options import add_body_option, index, open_body, say

HELP = (
    "Fit the 3D body to a person's 2D keypoints, or read it roughly off the picture alone; writes "
    "parameters (.npz) and an overlay (PNG)."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("picture", type=Path, help="the picture with the person")
    parser.add_argument(
        "keypoints",
        type=Path,
        nargs="?",
        help="JSON of COCO-17, COCO-WholeBody, OpenPose-18/25 or POSE_KEYPOINT; pixels or 0..1; "
        "left out: a small network reads the one person of the picture, roughly",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.npz", help="parameter file to write"
    )
    parser.add_argument(
        "--overlay",
        type=Path,
        metavar="FILE.png",
        help="picture with the body over it (default: beside --out)",
    )
    parser.add_argument("--person", type=index, default=0, help="which person, from 0 (default: 0)")
    parser.add_argument(
        "--focal-px",
        type=focal_length,
        metavar="F",
        help="focal length in pixels of the picture (default: estimated)",
    )
    add_body_option(parser)


def run(options: argparse.Namespace) -> None:
    """Fit or read, then write both files."""
    if options.out.suffix != ".npz":
        raise OutputError(f"{options.out} ends in {options.out.suffix!r}; expected .npz.")
    overlay = options.overlay or options.out.with_name(f"{options.out.stem}_overlay.png")
    check_target(options.out)
    check_picture_target(overlay)
    picture = load_picture(options.picture)
    body = open_body(options.body)
    params, found = _estimate(options, picture, body)
    save_picture(overlay_body(picture, BodyView.of(params, body), keypoints=True), overlay)
    params.save(options.out)
    say(found)
    say(f"parameters: {options.out}")
    say(f"overlay: {overlay}")


def _estimate(
    options: argparse.Namespace, picture: Float[Tensor, "1 3 height width"], body: BodyModel
) -> tuple[HumanParams, str]:
    """Return the parameters, and how good they are."""
    if options.keypoints is None:
        if options.person:
            raise KeypointsError(
                f"--person {options.person} chooses among the people of a keypoint file; without "
                "one, the picture must show one person. Give keypoints, or cut the picture."
            )
        reading = regress_body(picture[0], body=body, focal_px=options.focal_px)
        return reading.params, (
            "rough estimate from the picture alone, by a small network that saw synthetic people "
            "only: look at the overlay; a keypoint file gives a better one"
        )
    size = (picture.shape[-2], picture.shape[-1])
    fit = fit_person(options.keypoints, size, body, options.person, options.focal_px)
    return fit.params, f"mean reprojection error: {fit.reprojection_px:.2f} px"


def fit_person(
    keypoints: Path,
    size: tuple[int, int],
    body: BodyModel,
    person: int = 0,
    focal_px: float | None = None,
) -> FitResult:
    """Fit the body to one person of a keypoint file.

    Args:
        keypoints: the file.
        size: height and width of the picture, pixels.
        body: the body to fit.
        person: which person of the file, from 0.
        focal_px: focal length, pixels; estimated when not given.
    """
    points = load_keypoints(keypoints, person=person, picture_size=size)
    return fit_keypoints(points, body=body, focal_px=focal_px)


def focal_length(text: str) -> float:
    """Read a focal length in pixels."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pixels") from error
    if not 1.0 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a focal length from 1 to 1e6 pixels")
    return value
