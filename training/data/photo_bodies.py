"""The body of every photo: from a file, or fitted to keypoints of a list or of the detector."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from posexfer_core.body.joints import OPENPOSE18
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.pose_editing import rest_pelvis, seen_by
from posexfer_core.body.rescaled_camera import for_image_size
from posexfer_core.body.view import BodyView
from posexfer_core.errors import DetectorMissingError, ImageError, PoseXferError
from posexfer_core.files.images import load_image, load_mask
from posexfer_core.fit.fit import FitResult, fit_people
from posexfer_core.formats.body_family import convert_betas
from posexfer_core.formats.read import read_params
from posexfer_core.keypoints.detect_people import detect_people
from posexfer_core.keypoints.detections import read_keypoints
from posexfer_core.keypoints.detector import Landmarker, open_landmarker
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.masks import check_mask
from posexfer_core.keypoints.observation import Observation, usable_keypoints

from .photos import LeftOut, Photo

COMPARED_PX = 512
"""Longest side of the copies in which masks are compared with bodies."""
Mask = Float[Tensor, "height width"]


@dataclass(frozen=True, kw_only=True)
class BodyRules:
    """How bodies are found, and which are good enough."""

    detector: Path | None = None
    """Model file of the detector, for photos without parameters and keypoints; by default what
    `$POSEXFER_DETECTOR` names, where it is."""
    most_fit_error: float = 0.05
    """Largest mean distance of fitted keypoints from those seen, as a share of their extent."""
    least_overlap: float = 0.5
    """Least share of the body that its mask covers, where there is a mask."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhotoBody:
    """The person of one photo."""

    params: HumanParams
    """One person in one frame, in the camera frame, with the photo's own camera."""
    origin: str
    """"file", "keypoints" or "detector"."""
    fit_error: float
    """As in `BodyRules`; NaN for bodies from files."""
    overlap: float
    """As in `BodyRules`; NaN without a mask."""
    mask: Mask | None
    """Share of the person in each pixel; of a file or the detector's."""


@contextmanager
def landmarker_of(photos: Sequence[Photo], rules: BodyRules) -> Iterator[Landmarker | None]:
    """Open the detector where a photo needs it and it is there.

    Raises:
        ConfigError: its model was named and cannot be opened.
    """
    needed = any(not (one.params or one.keypoints) and one.points is None for one in photos)
    with ExitStack() as stack:
        landmarker = None
        if needed:
            try:
                landmarker = stack.enter_context(open_landmarker(rules.detector))
            except DetectorMissingError:
                if rules.detector is not None:
                    raise
        yield landmarker


def find_bodies(
    photos: Sequence[Photo], rules: BodyRules, body: BodyModel
) -> list[PhotoBody | LeftOut]:
    """Read or fit the body of every photo, and judge it; each picture is unpacked on the way."""
    found: list[PhotoBody | LeftOut | _Fit] = []
    with landmarker_of(photos, rules) as landmarker:
        for photo in photos:
            try:
                found.append(_known(photo, body, landmarker))
            except PoseXferError as error:
                found.append(LeftOut(photo.name, " ".join(str(error).split())))
    fits = [one for one in found if isinstance(one, _Fit)]
    results = iter(_fitted([one.observation for one in fits], body))
    judged: list[PhotoBody | LeftOut] = []
    for photo, one in zip(photos, found, strict=True):
        if isinstance(one, _Fit):
            result = next(results)
            if isinstance(result, PoseXferError):
                judged.append(LeftOut(photo.name, " ".join(str(result).split())))
                continue
            one = one.body(result)
        judged.append(_judged(photo, one, rules, body) if isinstance(one, PhotoBody) else one)
    return judged


@dataclass(frozen=True, eq=False)
class _Fit:
    """A body that is to be fitted."""

    observation: Observation
    origin: str
    mask: Mask | None

    def body(self, result: FitResult) -> PhotoBody:
        seen = self.observation.keypoints
        extent = float(np.ptp(seen.xy[seen.confidence > 0.0], axis=0).max())
        return PhotoBody(
            params=result.params,
            origin=self.origin,
            fit_error=result.reprojection_px / extent,
            overlap=float("nan"),
            mask=self.mask,
        )


def _known(photo: Photo, body: BodyModel, landmarker: Landmarker | None) -> PhotoBody | _Fit:
    """Collect what is known of a photo's person.

    Raises:
        PoseXferError: the picture or a file beside it cannot be read, or nothing is known.
    """
    image = load_image(photo.path)[0]
    size = (image.shape[-2], image.shape[-1])
    mask = None if photo.mask is None else load_mask(photo.mask)
    if mask is not None:
        check_mask(mask.numpy(), size)
    if photo.params is not None:
        read = read_params(photo.params, frame=photo.frame or 0, image_size=size, body=body)
        params = for_image_size(convert_betas(read, body), size)
        return PhotoBody(
            params=seen_by(params, torch.eye(4)[None], rest_pelvis(params, body)),
            origin="file",
            fit_error=float("nan"),
            overlap=float("nan"),
            mask=mask,
        )
    if photo.points is not None or photo.keypoints is not None:
        keypoints = _listed(photo, size) if photo.points is not None else _in_file(photo, size)
        observation = Observation(keypoints=usable_keypoints(keypoints, body))
        return _Fit(_with_mask(observation, mask), "keypoints", mask)
    if landmarker is None:
        raise ImageError(
            "it has no body parameters and no keypoints, and there is no detector (extra detect, "
            "$POSEXFER_DETECTOR)"
        )
    people = detect_people(image, landmarker)
    if not people:
        raise ImageError("the detector finds nobody")
    raw = people[0].raw()
    used = [index for index, name in enumerate(raw.names) if name]
    keypoints = Keypoints(
        xy=raw.points[used, :2],
        confidence=raw.points[used, 2],
        names=tuple(raw.names[index] for index in used),
        image_size=size,
    )
    mask = people[0].mask() if mask is None else mask
    observation = Observation(keypoints=usable_keypoints(keypoints, body))
    return _Fit(_with_mask(observation, mask), "detector", mask)


def _listed(photo: Photo, size: tuple[int, int]) -> Keypoints:
    assert photo.points is not None
    return Keypoints(
        xy=photo.points[:, :2] * [size[1], size[0]],
        confidence=photo.points[:, 2],
        names=OPENPOSE18,
        image_size=size,
    )


def _in_file(photo: Photo, size: tuple[int, int]) -> Keypoints:
    """Read the largest person of a file."""
    assert photo.keypoints is not None
    detections = read_keypoints(photo.keypoints)
    if photo.frame is None:
        detections = detections.of_images([photo.path.name])
    people = detections.observations(photo.frame or 0, image_size=size)
    usable = people.usable()
    if not usable:
        return people.person(0).keypoints  # raises what is wrong
    return max(usable, key=lambda one: float(np.ptp(one.keypoints.xy, axis=0).max())).keypoints


def _with_mask(observation: Observation, mask: Mask | None) -> Observation:
    shown = None if mask is None else (mask > 0.5).numpy()
    whole = shown is None or shown.all() or not shown.any()
    return observation if whole else replace(observation, mask=shown)


def _fitted(people: list[Observation], body: BodyModel) -> list[FitResult | PoseXferError]:
    """Fit everyone at once; where somebody cannot be, each alone, without the mask at last."""
    try:
        return [*fit_people(people, body=body)]
    except PoseXferError:
        if len(people) > 1:
            return [one for person in people for one in _fitted([person], body)]
    try:
        return [*fit_people([replace(people[0], mask=None)], body=body)]
    except PoseXferError as error:
        return [error]


def _judged(
    photo: Photo, found: PhotoBody, rules: BodyRules, body: BodyModel
) -> PhotoBody | LeftOut:
    """Leave out bodies that do not fit what was seen."""
    view = BodyView.of(found.params, body)
    try:
        view.check_seen("person")
    except PoseXferError as error:
        return LeftOut(photo.name, " ".join(str(error).split()))
    if found.mask is not None:
        found = replace(found, overlap=covered_share(view, found.mask))
    if found.fit_error > rules.most_fit_error:
        return LeftOut(
            photo.name,
            f"the fit is off by {found.fit_error:.1%} of the person's extent; at most "
            f"{rules.most_fit_error:.1%} is used",
        )
    if found.overlap < rules.least_overlap:
        return LeftOut(
            photo.name,
            f"the mask covers {found.overlap:.0%} of the body; at least "
            f"{rules.least_overlap:.0%} is used",
        )
    return found


def covered_share(view: BodyView, mask: Mask) -> float:
    """Return the share of the body's pixels in the image that lie in the mask."""
    scale = min(1.0, COMPARED_PX / max(view.size))
    size = (max(1, round(view.size[0] * scale)), max(1, round(view.size[1] * scale)))
    drawn = view.reframed((0, 0), scale, size).visibility.mask[0]
    shown = F.interpolate(mask[None, None], size=size, mode="area")[0, 0] > 0.5
    return float((drawn & shown).sum() / drawn.sum().clamp(min=1))


class CountedNotes(logging.Handler):
    """Collects the warnings of the readers, each once with its number: one for 50,000 files."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.counts: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count a warning by its words before any numbers and names are filled in."""
        words = str(record.msg)
        self.counts[words] = self.counts.get(words, 0) + 1

    def __enter__(self) -> "CountedNotes":
        core = logging.getLogger("posexfer_core")
        self._propagated, core.propagate = core.propagate, False
        core.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        core = logging.getLogger("posexfer_core")
        core.removeHandler(self)
        core.propagate = self._propagated
