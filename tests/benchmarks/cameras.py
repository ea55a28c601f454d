"""What the warp is worth on a real person: `python -m tests.benchmarks.cameras FOLDER`.

FOLDER holds films of one person by several cameras at once, such as the four of the PyPI package
pose2sim (`Pose2Sim/Demo_SinglePerson/videos`, BSD-3-Clause). They are not ours to pass on. Bodies
and masks are the detector's in source and target; the environment and the model that `make
detector` fetches have what it needs. Scored on the person in the frame wanted: the mean PSNR over
pairs of one camera at other instants, and of one instant in other cameras.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.commands.person_in_photo import person_in_photo
from posexfer_core.files.images import save_image
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source

FRAMES = (10, 30, 50, 70, 90)
APART = 40
"""Frames between two instants, at most."""
LONGEST = 768


class Frame(NamedTuple):
    """A person at an instant."""

    camera: str
    number: int
    image: Tensor
    view: BodyView
    mask: Tensor


def main() -> None:
    """Print a line for each way, and keep the images if wanted."""
    parser = argparse.ArgumentParser(description="Score the warp on films of one person.")
    parser.add_argument("folder", type=Path, help="of films, one a camera")
    parser.add_argument("--detector", type=Path, required=True, help="the detector's .task file")
    parser.add_argument("--out", type=Path, help="folder for the images, if wanted")
    options = parser.parse_args()
    body = BodyModel.bundled()
    films = sorted(options.folder.glob("*.mp4"))
    if not films:
        raise SystemExit(f"{options.folder} holds no films (*.mp4).")
    frames = [frame for film in films for frame in _frames(film, body, options.detector)]
    scores = defaultdict(list)
    for source in frames:
        prepared = {
            name: prepare_source(source.image, source.view, mask)
            for name, mask in (("warp", source.mask), ("without mask", None))
        }
        for target in frames:
            row = _row(source, target)
            if row is None:
                continue
            view, truth, wanted = _in_size_of(source, target)
            ways = {"copy": source.image}
            ways |= {name: pose_source(one, view).image for name, one in prepared.items()}
            for way, image in ways.items():
                error = float(((image - truth) / 2.0).square()[:, :, wanted].mean())
                scores[row, way].append(-10.0 * np.log10(error))
            if options.out is not None:
                options.out.mkdir(parents=True, exist_ok=True)
                name = f"{source.camera}_{source.number}_{target.camera}_{target.number}.png"
                save_image(torch.cat([*ways.values(), truth], 3), options.out / name)
    for (row, way), found in scores.items():
        sys.stdout.write(f"{row:13s} {way:12s} {len(found):3d} pairs  {np.mean(found):5.2f} dB\n")


def _frames(film: Path, body: BodyModel, detector: Path) -> list[Frame]:
    """Read some frames of a film, with the person the detector finds in each."""
    capture = cv2.VideoCapture(str(film))
    found = []
    for number in FRAMES:
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        read, pixels = capture.read()
        if not read:
            raise SystemExit(f"{film} has no frame {number}.")
        scale = LONGEST / max(pixels.shape[:2])
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        image = torch.from_numpy(pixels[..., ::-1].copy()).permute(2, 0, 1)[None] / 127.5 - 1.0
        person = person_in_photo(film, image, person=0, body=body, detector=detector)
        if person.mask is None:
            raise SystemExit(f"The detector gives no mask for frame {number} of {film}.")
        view = BodyView.of(person.params, body)
        found.append(Frame(film.stem, number, image, view, person.mask))
    return found


def _row(source: Frame, target: Frame) -> str | None:
    """Tell which pairs a pair belongs to; None for none."""
    if source.camera == target.camera:
        near = 0 < abs(source.number - target.number) <= APART
        return "one camera" if near else None
    return "one instant" if source.number == target.number else None


def _in_size_of(source: Frame, target: Frame) -> tuple[BodyView, Tensor, Tensor]:
    """Give a target's body, image and person in an image of the source's size.

    Of another size it is cut, or gets a margin, so that its person is in the middle.
    """
    size, image, person = target.view.size, target.image, target.mask[0, 0] > 0.5
    if source.view.size == size:
        return target.view, image, person
    starts, into, out_of = [], [], []
    for axis, (wanted, whole) in enumerate(zip(source.view.size, size, strict=True)):
        inside = person.any(1 - axis).nonzero()[:, 0]
        start = int(inside.min() + inside.max() - wanted) // 2
        low, high = max(0, start), min(whole, start + wanted)
        starts.append(start)
        into.append(slice(low - start, high - start))
        out_of.append(slice(low, high))
    truth = torch.zeros_like(source.image)
    truth[..., into[0], into[1]] = image[..., out_of[0], out_of[1]]
    shown = torch.zeros_like(truth[0, 0], dtype=torch.bool)
    shown[into[0], into[1]] = person[out_of[0], out_of[1]]
    top, left = starts
    return target.view.reframed((left, top), 1.0, source.view.size), truth, shown


if __name__ == "__main__":
    main()
