"""The optional detector: MediaPipe's pose landmarker, with a model file that the user brings.

Nothing is downloaded. The package mediapipe is imported when a detector is opened, nowhere else.
"""

import logging
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from ..errors import ConfigError, DetectorMissingError
from .mediapipe_landmarks import POINTS

logger = logging.getLogger(__name__)

ENVIRONMENT = "POSEXFER_DETECTOR"
"""Environment variable that names the model file."""
MODEL_NAMES = tuple(f"pose_landmarker_{kind}.task" for kind in ("heavy", "full", "lite"))
"""Files that are taken from the models folder, best first."""
MODEL_PAGE = "https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker"
PARTS = ("pose_detector.tflite", "pose_landmarks_detector.tflite")
"""What a model file holds."""
MOST_PEOPLE = 5
"""People looked for in one window of an image."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Landmarks:
    """One person as the detector sees it in the pixels that it was given."""

    image: Float[ndarray, "33 3"]
    """x, y in pixels, and the landmark's visibility from 0 to 1."""
    world: Float[ndarray, "33 4"]
    """x, y, z in metres from between the hips, and visibility."""
    mask: Float[ndarray, "height width"]
    """Share of the person in each pixel, 0 to 1."""


Landmarker = Callable[[UInt8[ndarray, "height width 3"]], list[Landmarks]]
"""From RGB levels to the people seen there."""


def models_folder() -> Path:
    """Return the folder in which a model file is looked for where none is named."""
    return Path("~/.posexfer/models").expanduser()


def find_model(named: Path | None = None) -> Path:
    """Return the model file: the one named, by `$POSEXFER_DETECTOR`, or of the models folder.

    Raises:
        ConfigError: the file that is named is not there.
        DetectorMissingError: none is named, and the folder has none.
    """
    path = named or Path(os.environ.get(ENVIRONMENT, ""))
    if path != Path():
        if path.is_file():
            return path
        where = "--detector" if named else f"${ENVIRONMENT}"
        raise ConfigError(
            f"{where} names {path}, and there is no such file; expected a model of MediaPipe's "
            f"pose landmarker, such as {MODEL_NAMES[0]} ({MODEL_PAGE})."
        )
    folder = models_folder()
    found = [folder / name for name in MODEL_NAMES if (folder / name).is_file()]
    if not found:
        raise DetectorMissingError(
            f"There is no detector of people: pip install 'posexfer[detect]' and put "
            f"{MODEL_NAMES[0]} ({MODEL_PAGE}) into {folder}, or name it by --detector or "
            f"${ENVIRONMENT}."
        )
    return found[0]


class PoseLandmarker:
    """MediaPipe's landmarker with one model file; a context manager, since it must be closed."""

    def __init__(self, model: Path) -> None:
        """Open a model file.

        Raises:
            DetectorMissingError: mediapipe is not installed.
            ConfigError: the file is no model of a pose landmarker.
        """
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except ModuleNotFoundError as error:
            raise DetectorMissingError(
                f"The detector of people needs the package {error.name}: pip install "
                "'posexfer[detect]'."
            ) from error
        check_model(model)
        self._package: Any = mediapipe
        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
            num_poses=MOST_PEOPLE,
            output_segmentation_masks=True,
        )
        try:
            with _without_chatter():
                self._landmarker: Any = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(
                f"{model.name} cannot be opened: {error} Expected {MODEL_NAMES[0]} ({MODEL_PAGE})."
            ) from error

    def __enter__(self) -> "PoseLandmarker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _without_chatter():
            self._landmarker.close()

    def __call__(self, image: UInt8[ndarray, "height width 3"]) -> list[Landmarks]:
        """Find people; `Landmarker` has the meaning."""
        package = self._package
        levels = np.ascontiguousarray(image)
        given = package.Image(image_format=package.ImageFormat.SRGB, data=levels)
        with _without_chatter():
            found = self._landmarker.detect(given)
        factors = np.array([image.shape[1], image.shape[0], 1.0])
        people = zip(
            found.pose_landmarks,
            found.pose_world_landmarks,
            found.segmentation_masks or [],
            strict=True,
        )
        return [
            Landmarks(
                image=_rows(points)[:, [0, 1, 3]] * factors,
                world=_rows(world),
                # a view of memory that is freed with `found`
                mask=np.array(mask.numpy_view(), dtype=np.float64).reshape(image.shape[:2]),
            )
            for points, world, mask in people
        ]


def open_landmarker(named: Path | None = None) -> PoseLandmarker:
    """Open the model that `find_model` finds; raises what it and `PoseLandmarker` raise."""
    return PoseLandmarker(find_model(named))


def check_model(path: Path) -> None:
    """Refuse what is no model file before MediaPipe opens it.

    Raises:
        ConfigError: it is none.
    """
    names: list[str] = []
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if not set(PARTS) <= set(names):
        raise ConfigError(
            f"{path.name} is no pose landmarker of MediaPipe: it holds "
            f"{', '.join(sorted(names)[:3]) or 'no archive'}, expected {' and '.join(PARTS)}. Get "
            f"{MODEL_NAMES[0]} from {MODEL_PAGE}."
        )


def _rows(landmarks: list[Any]) -> Float[ndarray, "33 4"]:
    rows = np.array([[one.x, one.y, one.z, one.visibility] for one in landmarks])
    assert len(rows) == POINTS, f"MediaPipe returned {len(rows)} landmarks"
    return rows


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Send what MediaPipe's C++ code writes to stderr, by no switch to be turned off, to our log.

    Opening a model writes some fifty lines about accelerators and sparse tensors.
    """
    try:
        kept = os.dup(2)
    except OSError:  # a process without stderr
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            logger.debug("mediapipe: %s", file.read().decode(errors="replace"))
