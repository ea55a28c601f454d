"""What shows a person over frames: images, keypoints and 3D joints, as files or folders."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..errors import ImageError, KeypointsError
from ..files.images import load_image, load_mask
from ..keypoints import mediapipe
from ..keypoints.joint_files import JointFile
from ..keypoints.joints3d import Joints3D
from ..keypoints.keypoints import count_frames, count_people, load_keypoints, read_keypoint_file
from ..keypoints.masks import Mask, check_mask
from ..keypoints.observation import Observation
from ..keypoints.tracking import People

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
KEYPOINTS = (".json", ".npy")


@dataclass(frozen=True, kw_only=True)
class Footage:
    """One person in one frame or in many."""

    images: list[Path]
    """One for each frame, or one that stands for all."""
    size: tuple[int, int]
    """Height and width of every image, pixels."""
    keypoints: list[Path]
    """One file for each frame, or one for all; none."""
    joints: JointFile | None
    masks: list[Path]
    """One for each frame; none."""
    focal_px: float | None
    frames: int
    content: Any
    """Of the one keypoint file."""

    @classmethod
    def open(
        cls,
        image: Path,
        keypoints: Path | None = None,
        joints: Path | None = None,
        masks: Path | None = None,
        *,
        focal_px: float | None = None,
    ) -> "Footage":
        """List the frames.

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
        images = _files(image, IMAGES, ImageError, "images")
        files = [] if keypoints is None else _files(keypoints, KEYPOINTS, KeypointsError, "files")
        content = read_keypoint_file(files[0]) if len(files) == 1 else None
        joint_file = None if joints is None else JointFile(joints)
        shapes = [] if masks is None else _files(masks, IMAGES, ImageError, "masks")
        counts = {
            "images": len(images),
            "keypoints": len(files) if content is None else count_frames(content),
            "3D joints": 0 if joint_file is None else len(joint_file),
            "masks": len(shapes),
        }
        frames = max(counts.values())
        if any(count not in (0, frames) and name != "images" for name, count in counts.items()):
            raise KeypointsError(_uneven(counts))
        if counts["images"] not in (1, frames):
            raise KeypointsError(_uneven(counts))
        shown = load_image(images[0])
        return cls(
            images=images,
            size=(shown.shape[-2], shown.shape[-1]),
            keypoints=files,
            joints=joint_file,
            masks=shapes,
            focal_px=focal_px,
            frames=frames,
            content=content,
        )

    @classmethod
    def of_keypoints(
        cls, path: Path, size: tuple[int, int], *, focal_px: float | None
    ) -> "Footage":
        """Take one keypoint file, of an image of known height and width that is not needed."""
        content = read_keypoint_file(path)
        return cls(
            images=[],
            size=size,
            keypoints=[path],
            joints=None,
            masks=[],
            focal_px=focal_px,
            frames=count_frames(content),
            content=content,
        )

    @property
    def annotated(self) -> bool:
        """Whether anything but images is there."""
        return bool(self.keypoints) or self.joints is not None

    def people(self, frame: int) -> People:
        """Gather what is known of the people in a frame; each file is read once.

        Raises:
            KeypointsError: what is known of the frame cannot be read.
            ImageError: its mask cannot be used.
        """
        mask = self._mask(frame) if self.masks else None
        if not self.keypoints:
            return self._jointed(frame, mask)
        data, inner = self.content, frame
        if len(self.keypoints) > 1:
            data, inner = read_keypoint_file(self.keypoints[frame]), 0

        def look(person: int) -> Observation:
            seen = load_keypoints(data, person=person, frame=inner, image_size=self.size)
            joints = _world_landmarks(data, inner, person)
            if self.joints is not None:
                joints = self.joints.joints(frame, person)
            return Observation(keypoints=seen, joints=joints, focal_px=self.focal_px, mask=mask)

        return People(count_people(data, inner), look)

    def image(self, frame: int) -> Float[Tensor, "1 3 height width"]:
        """Load the image of a frame.

        Raises:
            ImageError: it is of another size than the first.
        """
        path = self.images[frame if len(self.images) > 1 else 0]
        image = load_image(path)
        if image.shape[-2:] != self.size:
            raise ImageError(
                f"{path.name} is {image.shape[-1]}x{image.shape[-2]} pixels (width x height), "
                f"the first image {self.size[1]}x{self.size[0]}; frames of a video are alike."
            )
        return image

    def _jointed(self, frame: int, mask: Mask | None) -> People:
        """Gather people of whom only 3D joints are known."""
        joints = self.joints
        assert joints is not None

        def look(person: int) -> Observation:
            return replace(joints.sight(frame, person, self.size, self.focal_px), mask=mask)

        return People(joints.people(frame), look)

    def _mask(self, frame: int) -> Mask:
        path = self.masks[frame]
        try:
            return check_mask(load_mask(path).numpy(), self.size)
        except ImageError as error:
            raise ImageError(f"{path.name}: {error}") from error


def _world_landmarks(data: Any, frame: int, person: int) -> Joints3D | None:
    """Take MediaPipe's world landmarks, which lie beside its image landmarks."""
    found = mediapipe.find_joints(data, frame) if isinstance(data, dict | list) else None
    return found[person] if found is not None and person < len(found) else None


def _files(
    path: Path, suffixes: tuple[str, ...], error: type[KeypointsError | ImageError], what: str
) -> list[Path]:
    """List the files of a folder by the numbers in their names; a file is a list of one."""
    if not path.is_dir():
        return [path]
    files = [one for one in path.iterdir() if one.suffix.lower() in suffixes and one.is_file()]
    if not files:
        raise error(f"The folder {path} has no {what} that end in {', '.join(suffixes)}.")
    return sorted(files, key=_by_number)


def _by_number(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _uneven(counts: dict[str, int]) -> str:
    found = ", ".join(f"{count} frames of {name}" for name, count in counts.items() if count)
    return (
        f"There are {found}; they must be as many. One image alone may stand for all; --frame "
        "takes one frame."
    )
