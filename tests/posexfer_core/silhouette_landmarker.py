"""A stand-in for the detector: finds silhouettes of one colour, and knows the body of each."""

from dataclasses import dataclass
from types import TracebackType

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.keypoints.detector import Landmarks
from posexfer_core.keypoints.layouts import MEDIAPIPE33

JOINTS = {
    name: 16 + number
    for number, name in enumerate(
        ("l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist", "r_wrist")
    )
} | {"l_hip": 1, "r_hip": 2, "l_knee": 4, "r_knee": 5, "l_ankle": 7, "r_ankle": 8}
VERTICES = {
    **{"nose": "nose", "l_eye": "leye", "r_eye": "reye", "l_ear": "lear", "r_ear": "rear"},
    **{"l_heel": "LHeel", "r_heel": "RHeel", "l_big_toe": "LBigToe", "r_big_toe": "RBigToe"},
}
LEAST_SHARE = 0.35
"""Of the longest side of what it is given, which a silhouette must fill to be found."""


def colour(channel: int) -> Int[ndarray, "3"]:
    """Return the levels of a pure colour, 0 to 255."""
    return 240 * (np.arange(3) == channel)


@dataclass(frozen=True, kw_only=True, eq=False)
class Silhouette:
    """Somebody whose pixels all have one colour."""

    channel: int
    """0 is red, 1 green, 2 blue."""
    points: Float[ndarray, "33 3"]
    """Landmarks as shares of the silhouette's box, and visibility."""
    world: Float[ndarray, "33 4"]


class SilhouetteLandmarker:
    """Sees what fills much of the image that it is given, as MediaPipe's does."""

    def __init__(self, people: list[Silhouette], room_px: int = 0) -> None:
        """Take the people, and how far from the border a silhouette must stay to be found."""
        self.people = people
        self.room_px = room_px
        self.calls = 0

    def __enter__(self) -> "SilhouetteLandmarker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def __call__(self, image: ndarray) -> list[Landmarks]:
        self.calls += 1
        found = []
        for person in self.people:
            mask = np.abs(image.astype(int) - colour(person.channel)).max(-1) < 120
            rows, columns = np.nonzero(mask)
            if len(rows) < 20:
                continue
            low = np.array([columns.min(), rows.min()])
            extent = np.array([columns.max(), rows.max()]) + 1.0 - low
            room = min(low.min(), (np.array(mask.shape[::-1]) - low - extent).min())
            if extent.max() < LEAST_SHARE * max(image.shape) or room < self.room_px:
                continue
            points = person.points * [*extent, 1.0]
            points[:, :2] += low
            found.append(Landmarks(image=points, world=person.world, mask=mask.astype(float)))
        return found


def draw_person(
    image: Float[Tensor, "3 height width"], params: HumanParams, body: BodyModel, channel: int
) -> Silhouette:
    """Paint a body's silhouette into an image of its own size; return who can be found there."""
    view = BodyView.of(params, body)
    mask = view.visibility.mask[0]
    image[:, mask] = torch.from_numpy(colour(channel) / 127.5 - 1.0).float()[:, None]
    at = [
        view.joints[0, JOINTS[name]]
        if name in JOINTS
        else view.vertices[0, body.keypoint_vertices[VERTICES[name]]]
        if name
        else view.joints[0, 15]
        for name in MEDIAPIPE33
    ]
    places = torch.stack(at)
    pixels = project_perspective(places[None], view.intrinsics)[0].numpy()
    rows, columns = np.nonzero(mask.numpy())
    low = np.array([columns.min(), rows.min()])
    extent = np.array([columns.max(), rows.max()]) + 1.0 - low
    seen = np.ones((len(places), 1))
    return Silhouette(
        channel=channel,
        points=np.concatenate([(pixels - low) / extent, seen], 1),
        world=np.concatenate([(places - view.joints[0, 1:3].mean(0)).numpy(), seen], 1),
    )
