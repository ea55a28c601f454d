"""Bodies of a batch of images, with progress and interrupt."""

from typing import Any

from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.motion import join_frames
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.fit.video.estimate_sequence import fit_sequence
from ...posexfer_core.keypoints.detections import read_keypoints
from ...posexfer_core.keypoints.input_sequence import InputSequence, check_frame_counts
from ...posexfer_core.keypoints.joint_files import JointFrames
from ...posexfer_core.keypoints.masks import Mask
from .masks import check_person_mask
from .progress import start_progress


def fit_batch(
    images: Tensor,
    *,
    keypoints: Any = None,
    pose_data: Any = None,
    mask: Tensor | None = None,
    focal_px: float | None = None,
    person: int = 0,
    smoothing: float = 0.0,
) -> HumanParams:
    """Fit the bundled body to one person of every image.

    Args:
        images: (frames, 3, height, width).
        keypoints: a POSE_KEYPOINT value.
        pose_data: an MHR_POSE_DATA value, instead of keypoints; its own camera is kept.
        mask: (frames, height, width), 1 where the person is.
        focal_px: focal length in pixels; None guesses it.
        person: as in `fit_sequence`.
        smoothing: strength of the smoothing over frames; 0 fits each alone.

    Raises:
        KeypointsError: there are other numbers of frames; as `fit_sequence`.
        ImageError: the masks are of other images.
    """
    frames, height, width = len(images), images.shape[2], images.shape[3]
    given = pose_data is not None
    joints = JointFrames.of_mhr(pose_data, "the pose data") if given else None
    detections = None if given else read_keypoints(keypoints)

    def frame_mask(frame: int) -> Mask:
        assert mask is not None
        return check_person_mask(mask[frame], (height, width))

    check_frame_counts(
        {
            "images": frames,
            "keypoints": None if detections is None else len(detections),
            "pose data": None if joints is None else len(joints),
            "masks": None if mask is None else len(mask),
        },
        "Connect the same IMAGE to the detector, to what makes the masks, and to this node.",
    )
    sequence = InputSequence(
        image_size=(height, width),
        keypoints=detections,
        joints=joints,
        mask=None if mask is None else frame_mask,
        focal_px=focal_px,
    )
    results = fit_sequence(
        sequence,
        range(frames),
        person=person,
        body=BodyModel.bundled(),
        strength=smoothing,
        progress=start_progress(frames),
    )
    return join_frames([result.params for result in results])
