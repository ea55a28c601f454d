"""`posexfer estimate`: fits a body to keypoints, 3D joints or an image alone, or regresses it."""

import argparse
import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..body.model import BodyModel
from ..body.motion import join_frames
from ..body.params import HumanParams
from ..body.smpl_files import open_body
from ..body.view import BodyView
from ..errors import ImageError, KeypointsError, OutputError
from ..files.atomic import check_target, make_folder
from ..files.images import SUFFIXES, save_image
from ..fit.fit import FitResult, Progress, fit_people
from ..fit.video.estimate_sequence import find_in_sequence, fit_sequence, smooth_found
from ..keypoints.detections import read_keypoints
from ..keypoints.masks import check_mask
from ..keypoints.observation import FrameObservations, Observation
from ..render.overlay import overlay_body
from ..transfer.framing import body_box, frame_photo
from .options import add_body_option, between, index, print_line
from .person_in_photo import ROUGH, add_detector_option, detector_if_any, trustworthiness
from .progress import progress_line
from .sequence_files import SequenceFiles

logger = logging.getLogger(__name__)

OVERLAY_SIDE = 2048
"""Longest side of an overlay, pixels; larger images are shown smaller."""
HELP = (
    "Fit the 3D body to a person's 2D keypoints or 3D joints, in one image or in the frames of a "
    "video, or to what the detector finds in the image alone; writes parameters (.npz) and "
    "overlays (PNG)."
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
        "one file a frame, as OpenPose writes; left out: the detector finds the people "
        "(--detector), or without it a small network regresses one body, roughly",
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
        help="which person, from 0 (default: 0), the detector's by size; in a video, in its first "
        "frame: from there it is followed, unless --smooth is 0",
    )
    parser.add_argument(
        "--frame", type=index, metavar="N", help="only this frame, from 0 (default: all)"
    )
    _add_fit_options(parser)
    add_detector_option(parser)
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
        "resolves depth, which 2D keypoints leave open; no keypoints are needed where the joints "
        "lie in the camera's frame",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="PATH",
        help="an image that is white (or opaque) where the person is, of the image's size, or a "
        "folder with one a frame; determines how wide the body is",
    )
    parser.add_argument(
        "--smooth",
        type=between(0.0, 100.0, "a strength from 0 to 100"),
        default=1.0,
        metavar="STRENGTH",
        help="how much frames are smoothed over time: 0 fits each alone, 1 suits 25 to 30 frames "
        "a second, 2 halves the accelerations (default: 1)",
    )
    parser.add_argument(
        "--fps",
        type=between(0.01, 1e4, "a frame rate from 0.01 to 10000"),
        metavar="RATE",
        help="frames a second of the video, kept in the parameter file (default: not known)",
    )
    parser.add_argument(
        "--focal-px",
        type=between(1.0, 1e6, "a focal length from 1 to 1e6 pixels"),
        metavar="F",
        help="focal length in pixels of the image (default: the image's diagonal, or what a "
        "file of 3D joints gives)",
    )


def run(options: argparse.Namespace) -> None:
    """Fit or regress, then write the parameters and the overlays."""
    if options.out.suffix != ".npz":
        raise OutputError(f"{options.out} ends in {options.out.suffix!r}; expected .npz.")
    check_target(options.out)
    files = SequenceFiles.open(
        options.image,
        options.keypoints,
        options.joints,
        options.mask,
        focal_px=options.focal_px,
    )
    frames = _wanted_frames(options, files)
    overlays = _overlay_files(options, files, frames)
    body = open_body(options.body)
    known = files.inputs.known
    with nullcontext() if known else detector_if_any(options.detector) as landmarker:
        if landmarker is not None:
            files = files.detected(landmarker, frames[0])
        doing, estimate = ("fitting", _fit) if files.inputs.known else ("regressing", _regress)
        with progress_line(doing, len(frames), "frames") as advance:
            params, quality = estimate(options, files, frames, body, advance)
    if options.fps is not None:
        params = replace(params, frame_rate=options.fps)
    for number, path in enumerate(overlays):
        view = BodyView.of(params.part(slice(number, number + 1), slice(None)), body)
        save_image(shown_over(files.image(frames[number])[None], view), path)
    params.save(options.out)
    print_line(quality)
    print_line(f"parameters: {options.out}")
    print_line(f"overlay: {overlays[0] if len(overlays) == 1 else overlays[0].parent}")


def shown_over(
    image: Float[Tensor, "1 3 height width"], view: BodyView
) -> Float[Tensor, "1 3 shown_height shown_width"]:
    """Draw a body and its keypoints over an image, which is made smaller if it is large."""
    scale = min(1.0, OVERLAY_SIDE / max(view.size))
    framing = frame_photo(body_box(view), [], view.size, scale=scale)
    return overlay_body(framing.apply(image), framing.reframe(view), keypoints=True)


def _wanted_frames(options: argparse.Namespace, files: SequenceFiles) -> list[int]:
    if options.frame is None:
        return list(range(files.frames))
    if options.frame >= files.frames:
        raise KeypointsError(
            f"Frame {options.frame} was asked for, but there are {files.frames}, numbered from 0."
        )
    return [options.frame]


def _overlay_files(
    options: argparse.Namespace, files: SequenceFiles, frames: list[int]
) -> list[Path]:
    """Name the overlays, one for each image that is used, and check that they can be written."""
    several = len(frames) > 1 and len(files.images) > 1
    default = options.out.with_name(f"{options.out.stem}_overlay" + ("" if several else ".png"))
    path = options.overlay or default
    if not several:
        check_target(path, SUFFIXES)
        return [path]
    make_folder(path)
    return [path / f"{frame:05d}.png" for frame in frames]


def _fit(
    options: argparse.Namespace,
    files: SequenceFiles,
    frames: list[int],
    body: BodyModel,
    progress: Progress,
) -> tuple[HumanParams, str]:
    """Return the body fitted to keypoints and 3D joints, and how well it explains them."""
    settings = {"person": options.person, "body": body, "strength": options.smooth}
    try:
        results = fit_sequence(files.inputs, frames, **settings, progress=progress)
    except ImageError as error:
        if options.mask is not None:
            raise
        logger.warning("%s The detector's masks are left out.", error)
        results = fit_sequence(files.without_masks().inputs, frames, **settings)
    errors = np.array([one.reprojection_px for one in results])
    quality = f"mean reprojection error: {np.nanmean(errors):.2f} px"
    if len(frames) > 1:
        lost = int(np.isnan(errors).sum())
        quality += f", over {len(frames)} frames"
        quality += f", of which {lost} do not show the person and are filled" if lost else ""
    return join_frames([one.params for one in results]), quality


def _regress(
    options: argparse.Namespace,
    files: SequenceFiles,
    frames: list[int],
    body: BodyModel,
    progress: Progress,
) -> tuple[HumanParams, str]:
    """Return the body regressed from every image, and what to expect of it."""
    if options.mask is not None:
        raise KeypointsError("--mask shapes a body that was fitted to keypoints; give them too.")
    if options.person:
        raise KeypointsError(
            f"--person {options.person} chooses among the people of a keypoint file or of the "
            "detector; the network alone finds one. Give keypoints, or cut the image."
        )
    found = find_in_sequence(
        map(files.image, frames), body=body, focal_px=options.focal_px, progress=progress
    )
    params = smooth_found(found, body=body, strength=options.smooth, progress=progress)
    return params, f"{ROUGH}\n{trustworthiness(found)}"


def open_people(keypoints: Path, size: tuple[int, int], image: str) -> FrameObservations:
    """Read the people of one image, or of the first frame of a keypoint file.

    Args:
        keypoints: the file.
        size: height and width of the image, pixels.
        image: file name of the image, for files of several.
    """
    return read_keypoints(keypoints).of_images([image]).observations(image_size=size)


def fit_person(
    observation: Observation,
    body: BodyModel,
    mask: Float[Tensor, "1 1 height width"] | None = None,
) -> FitResult:
    """Fit the body to one person of an image.

    Args:
        observation: what is known of the person.
        body: the body to fit.
        mask: share of the person in each pixel, if known; tells how wide the body is.
    """
    if mask is not None:
        size = observation.keypoints.image_size
        observation = replace(observation, mask=check_mask(mask[0, 0].numpy(), size))
    return fit_people([observation], body=body)[0]
