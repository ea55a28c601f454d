"""The files of a sequence: images, keypoints, 3D joints and masks, each a file or a folder."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from ..errors import ImageError
from ..files.folders import numbered_files
from ..files.images import load_image, load_mask
from ..keypoints.detect_people import DetectedPerson, detect_people
from ..keypoints.detections import Detections, read_keypoints
from ..keypoints.detector import Landmarker
from ..keypoints.input_sequence import InputSequence, check_frame_counts
from ..keypoints.joint_files import read_joint_file
from ..keypoints.masks import Mask, check_mask
from .person_in_photo import PHOTO_SUFFIXES, announce, raw_people, without_masks


@dataclass(frozen=True, kw_only=True)
class SequenceFiles:
    """The images of a sequence, and what is known of the people in them."""

    images: list[Path]
    """One for each frame, or one that stands for all."""
    inputs: InputSequence
    frames: int

    @classmethod
    def open(
        cls,
        image: Path,
        keypoints: Path | None = None,
        joints: Path | None = None,
        masks: Path | None = None,
        *,
        focal_px: float | None = None,
    ) -> "SequenceFiles":
        """Recognise the files and count their frames.

        Args:
            image: an image, or a folder of one image a frame.
            keypoints: a file of one or many frames, or a folder of one file a frame.
            joints: a file of 3D joints.
            masks: an image that is white where the person is, or a folder of one a frame.
            focal_px: focal length, pixels; guessed when left out.

        Raises:
            KeypointsError, ParamsError, ImageError: something cannot be read, or the numbers of
                frames differ.
        """
        images = _image_files(image, "images")
        detections = None
        if keypoints is not None:
            detections = read_keypoints(keypoints).of_images([one.name for one in images])
        joint_frames = None if joints is None else read_joint_file(joints)
        mask_files = [] if masks is None else _image_files(masks, "masks")
        counts = {
            "images": len(images) if len(images) > 1 else None,
            "keypoints": None if detections is None else len(detections),
            "3D joints": None if joint_frames is None else len(joint_frames),
            "masks": len(mask_files) or None,
        }
        check_frame_counts(counts, "One image alone may stand for all; --frame takes one frame.")
        frames = max(count or 1 for count in counts.values())
        height, width = load_image(images[0]).shape[-2:]
        inputs = InputSequence(
            image_size=(height, width),
            keypoints=detections,
            joints=joint_frames,
            mask=_mask_reader(mask_files, (height, width)) if mask_files else None,
            focal_px=focal_px,
        )
        return cls(images=images, inputs=inputs, frames=frames)

    def image(self, frame: int) -> Float[Tensor, "3 height width"]:
        """Load the image of a frame.

        Raises:
            ImageError: it is of another size than the first.
        """
        path = self.images[frame if len(self.images) > 1 else 0]
        image = load_image(path)[0]
        height, width = self.inputs.image_size
        if image.shape[1:] != (height, width):
            raise ImageError(
                f"{path.name} is {image.shape[2]}x{image.shape[1]} pixels (width x height), the "
                f"first image {width}x{height}; frames of a video are alike."
            )
        return image

    def detected(self, landmarker: Landmarker, first: int) -> "SequenceFiles":
        """Add the people that the detector finds in each frame, and tell how many at first.

        Args:
            landmarker: of the detector.
            first: the frame that is searched at once; others when they are asked for.

        Raises:
            PersonNotFoundError: nobody is found at first.
        """
        people = detect_people(self.image(first), landmarker)
        path = self.images[first if len(self.images) > 1 else 0]
        announce(people, path, self.inputs.image_size)

        def people_of(frame: int) -> list[DetectedPerson]:
            return people if frame == first else detect_people(self.image(frame), landmarker)

        detections = Detections(
            name=self.images[0].name if len(self.images) == 1 else self.images[0].parent.name,
            frames=range(self.frames),
            parse=lambda frame: raw_people(people_of(frame)),
        )
        return replace(self, inputs=replace(self.inputs, keypoints=detections))

    def without_masks(self) -> "SequenceFiles":
        """Drop the masks of the detector."""
        assert self.inputs.keypoints is not None, "there is no detector"
        bare = without_masks(self.inputs.keypoints)
        return replace(self, inputs=replace(self.inputs, keypoints=bare))


def _image_files(path: Path, what: str) -> list[Path]:
    return numbered_files(path, PHOTO_SUFFIXES, what, error=ImageError) if path.is_dir() else [path]


def _mask_reader(files: list[Path], size: tuple[int, int]) -> Callable[[int], Mask]:
    def read(frame: int) -> Mask:
        try:
            return check_mask(load_mask(files[frame]).numpy(), size)
        except ImageError as error:
            raise ImageError(f"{files[frame].name}: {error}") from error

    return read
