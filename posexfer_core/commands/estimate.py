"""`posexfer estimate`: a 3D body from keypoints or 3D joints, or roughly from an image alone."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..body.model import BodyModel
from ..body.motion import join_frames
from ..body.params import HumanParams
from ..body.view import BodyView
from ..errors import KeypointsError, OutputError
from ..files.atomic import check_target
from ..files.images import check_image_target, save_image
from ..fit.fit import FitResult, fit_people
from ..fit.search import IN_SPACE, SearchPlan
from ..fit.video.fit_motion import fit_video
from ..fit.video.smooth_bodies import smooth_bodies
from ..fit.video.smoothing import Smoothing
from ..pose_networks.regressor import regress_body
from ..render.overlay import overlay_body
from .footage import Footage
from .options import add_body_option, between, index, open_body, print_line
from .progress import Counter

HELP = (
    "Fit the 3D body to a person's 2D keypoints or 3D joints, in one image or in the frames of a "
    "video, or read it roughly off the image alone; writes parameters (.npz) and overlays (PNG)."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "image",
        type=Path,
        help="the image with the person, or a folder with one image a frame, in the order of "
        "the numbers in their names; for keypoints of several frames one image will do",
    )
    parser.add_argument(
        "keypoints",
        type=Path,
        nargs="?",
        help="JSON of COCO-17, COCO-WholeBody, OpenPose-18/25, POSE_KEYPOINT or MediaPipe (its "
        "world landmarks are used too), pixels or 0..1, of one or several frames; or a folder with "
        "one file a frame, as OpenPose writes; left out: a small network reads the one person of "
        "the image, roughly",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.npz", help="parameter file to write"
    )
    parser.add_argument(
        "--overlay",
        type=Path,
        metavar="PATH",
        help="image with the body over it (.png), or a folder of them where there are several "
        "images (default: beside --out)",
    )
    parser.add_argument(
        "--person",
        type=index,
        default=0,
        help="which person, from 0 (default: 0); in a video, in its first frame: from there it "
        "is followed, unless --smooth is 0",
    )
    parser.add_argument(
        "--frame", type=index, metavar="N", help="only this frame, from 0 (default: all)"
    )
    _add_fit_options(parser)
    add_body_option(parser)


def _add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Describe what the fit may be told."""
    parser.add_argument(
        "--joints",
        type=Path,
        metavar="FILE",
        help="3D joints of the same frames and people: NLF, SAM 3D Body, MediaPipe's world "
        "landmarks, or an array of 24 (SMPL), 33 (MediaPipe) or 70 (MHR) joints, metres or "
        "millimetres, x right, y down, z away from the camera (.npz, .npy, .json, .pkl, .pt); "
        "leaves no doubt about depth; needs no keypoints where it says where the person is",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="PATH",
        help="an image that is white (or opaque) where the person is, of the image's size, or a "
        "folder with one a frame; tells how wide the body is",
    )
    parser.add_argument(
        "--smooth",
        type=strength,
        default=1.0,
        metavar="STRENGTH",
        help="how much frames are smoothed over time: 0 fits each alone, 1 suits 25 to 30 frames "
        "a second, 2 halves the accelerations (default: 1)",
    )
    parser.add_argument(
        "--fps",
        type=frame_rate,
        metavar="RATE",
        help="frames a second of the video, kept in the parameter file (default: not known)",
    )
    parser.add_argument(
        "--focal-px",
        type=focal_length,
        metavar="F",
        help="focal length in pixels of the image (default: the image's diagonal, or what a "
        "file of 3D joints says)",
    )


def run(options: argparse.Namespace) -> None:
    """Fit or read, then write the parameters and the overlays."""
    if options.out.suffix != ".npz":
        raise OutputError(f"{options.out} ends in {options.out.suffix!r}; expected .npz.")
    check_target(options.out)
    footage = Footage.open(
        options.image,
        options.keypoints,
        options.joints,
        options.mask,
        focal_px=options.focal_px,
    )
    frames = _wanted_frames(options, footage)
    overlays = _overlay_files(options, footage, frames)
    body = open_body(options.body)
    params, found = _estimate(options, footage, frames, body)
    if options.fps is not None:
        params = replace(params, frame_rate=options.fps)
    for number, path in enumerate(overlays):
        view = BodyView.of(params.part(slice(number, number + 1), slice(None)), body)
        image = footage.image(frames[number])
        save_image(overlay_body(image, view, keypoints=True), path)
    params.save(options.out)
    print_line(found)
    print_line(f"parameters: {options.out}")
    print_line(f"overlay: {overlays[0] if len(overlays) == 1 else overlays[0].parent}")


def _wanted_frames(options: argparse.Namespace, footage: Footage) -> list[int]:
    if options.frame is None:
        return list(range(footage.frames))
    if options.frame >= footage.frames:
        raise KeypointsError(
            f"Frame {options.frame} was asked for, but there are {footage.frames}, numbered from 0."
        )
    return [options.frame]


def _overlay_files(options: argparse.Namespace, footage: Footage, frames: list[int]) -> list[Path]:
    """Name the overlays, one for each image that is used, and check that they can be written."""
    several = len(frames) > 1 and len(footage.images) > 1
    default = options.out.with_name(f"{options.out.stem}_overlay" + ("" if several else ".png"))
    path = options.overlay or default
    if not several:
        check_image_target(path)
        return [path]
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {path} cannot be made: {error.strerror}.") from error
    files = [path / f"{frame:05d}.png" for frame in frames]
    check_image_target(files[0])
    return files


def _estimate(
    options: argparse.Namespace, footage: Footage, frames: list[int], body: BodyModel
) -> tuple[HumanParams, str]:
    """Return the parameters, and how good they are."""
    counter = Counter("fitting" if footage.annotated else "reading", len(frames), "frames")
    try:
        if footage.annotated:
            return _fitted(options, footage, frames, body, counter)
        return _read(options, footage, frames, body, counter)
    finally:
        counter.close()


def _fitted(
    options: argparse.Namespace,
    footage: Footage,
    frames: list[int],
    body: BodyModel,
    counter: Counter,
) -> tuple[HumanParams, str]:
    """Fit the body to keypoints and 3D joints."""
    plan = IN_SPACE if footage.joints is not None else SearchPlan()
    if len(frames) > 1:
        results = fit_video(
            lambda number: footage.people(frames[number]),
            len(frames),
            person=options.person,
            body=body,
            plan=plan,
            strength=options.smooth,
            progress=counter.advance,
        )
    else:
        results = fit_people([footage.people(frames[0]).look(options.person)], body=body, plan=plan)
    errors = np.array([one.reprojection_px for one in results])
    found = f"mean reprojection error: {np.nanmean(errors):.2f} px"
    if len(frames) > 1:
        lost = int(np.isnan(errors).sum())
        found += f", over {len(frames)} frames"
        found += f", of which {lost} do not show the person and are filled" if lost else ""
    return join_frames([one.params for one in results]), found


def _read(
    options: argparse.Namespace,
    footage: Footage,
    frames: list[int],
    body: BodyModel,
    counter: Counter,
) -> tuple[HumanParams, str]:
    """Read the body off every image alone."""
    if options.mask is not None:
        raise KeypointsError("--mask shapes a body that was fitted to keypoints; give them too.")
    if options.person:
        raise KeypointsError(
            f"--person {options.person} chooses among the people of a keypoint file; without one, "
            "the image must show one person. Give keypoints, or cut the image."
        )
    readings = []
    for frame in frames:
        image = footage.image(frame)[0]
        readings.append(regress_body(image, body=body, focal_px=options.focal_px).params)
        counter.advance()
    params = join_frames(readings)
    if len(frames) > 1 and options.smooth:
        params = smooth_bodies(params, body, Smoothing.of_strength(options.smooth))
    return params, (
        "rough estimate from the image alone, by a small network that saw synthetic people only: "
        "look at the overlay; a keypoint file gives a better one"
    )


def fit_person(
    keypoints: Path,
    size: tuple[int, int],
    body: BodyModel,
    person: int = 0,
    focal_px: float | None = None,
) -> FitResult:
    """Fit the body to one person of the first frame of a keypoint file.

    Args:
        keypoints: the file.
        size: height and width of the image, pixels.
        body: the body to fit.
        person: which person of the file, from 0.
        focal_px: focal length, pixels; guessed when not given.
    """
    footage = Footage.of_keypoints(keypoints, size, focal_px=focal_px)
    return fit_people([footage.people(0).look(person)], body=body)[0]


def focal_length(text: str) -> float:
    """Read a focal length in pixels."""
    return between(1.0, 1e6, "a focal length from 1 to 1e6 pixels", text)


def frame_rate(text: str) -> float:
    """Read frames a second."""
    return between(0.01, 1e4, "a frame rate from 0.01 to 10000", text)


def strength(text: str) -> float:
    """Read a strength of the smoothing."""
    return between(0.0, 100.0, "a strength from 0 to 100", text)
