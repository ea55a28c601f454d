"""Everything that is known of the people in a sequence of images: keypoints, 3D joints, masks."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..errors import KeypointsError
from .detections import Detections
from .joint_files import JointFrames
from .masks import Mask
from .observation import FrameObservations, Observation


@dataclass(frozen=True, kw_only=True, eq=False)
class InputSequence:
    """Frames × people of `Observation`, of keypoints, of 3D joints, or of both."""

    image_size: tuple[int, int]
    """`(height, width)` of every image, pixels."""
    keypoints: Detections | None = None
    joints: JointFrames | None = None
    """Of the same people; used instead of those in `keypoints`."""
    mask: Callable[[int], Mask] | None = None
    """Returns the mask of a frame's person."""
    focal_px: float | None = None
    """Focal length; when left out what the 3D joints are seen by, or the image's diagonal."""

    @property
    def known(self) -> bool:
        """Whether there is anything to fit a body to."""
        return self.keypoints is not None or self.joints is not None

    def people(self, frame: int) -> FrameObservations:
        """Return everyone in a frame; each frame of a file is parsed once a call.

        Raises:
            KeypointsError: the frame cannot be read.
            ImageError: its mask cannot be used.
        """
        if self.keypoints is not None:
            found = self.keypoints.observations(
                frame, image_size=self.image_size, focal_px=self.focal_px
            )
        elif self.joints is not None:
            found = self.joints.observations(frame, self.image_size, self.focal_px)
        else:
            raise KeypointsError("There are neither keypoints nor 3D joints; give one of them.")
        mask = None if self.mask is None else self.mask(frame)
        people = [
            self._completed(one, frame, number, mask) for number, one in enumerate(found.people)
        ]
        return replace(found, people=people)

    def _completed(
        self, found: Observation | KeypointsError, frame: int, person: int, mask: Mask | None
    ) -> Observation | KeypointsError:
        """Add the mask, and the 3D joints to keypoints."""
        if isinstance(found, KeypointsError):
            return found
        try:
            if self.keypoints is not None and self.joints is not None:
                found = replace(found, joints=self.joints.joints(frame, person))
        except KeypointsError as error:
            return error
        return found if mask is None else replace(found, mask=mask)


def check_frame_counts(counts: dict[str, int | None], hint: str) -> None:
    """Check that all parts of a sequence have as many frames.

    Args:
        counts: number of frames of each part, such as "masks"; None where the part is not there.
        hint: what to do, for the error.

    Raises:
        KeypointsError: the numbers differ.
    """
    found = {part: count for part, count in counts.items() if count is not None}
    if len(set(found.values())) > 1:
        listing = ", ".join(f"{count} frames of {part}" for part, count in found.items())
        raise KeypointsError(f"There are {listing}; they must be as many. {hint}")
