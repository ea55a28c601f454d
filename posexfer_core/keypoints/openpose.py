"""Keypoints as OpenPose writes them, and as ComfyUI passes them on (`POSE_KEYPOINT`).

ComfyUI's value is a list of frames. Parts that were not found are None; core writes pixels,
older packs write shares of the canvas. Packs disagree about which hand is left, so each hand is
assigned to the nearer wrist, whatever its name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import KeypointsError
from .layouts import FEET6, HANDS21
from .raw_people import (
    RawFrames,
    RawPerson,
    filled,
    joined,
    part,
    raw_person,
    triples,
    written_size,
)

BODY_KEYS = ("pose_keypoints_2d", "pose_keypoints")
HAND_KEYS = ("hand_left_keypoints_2d", "hand_right_keypoints_2d")


def find_frames(content: Any) -> RawFrames | None:
    """Return the frames of a list or the one of a file; None if this is another format."""
    frames = content if isinstance(content, list | tuple) else [content]
    return RawFrames(frames, read_people) if frames and _is_frame(frames[0]) else None


def _is_frame(frame: Any) -> bool:
    return isinstance(frame, Mapping) and ("people" in frame or "canvas_width" in frame)


def read_people(frame: Any) -> list[RawPerson]:
    """Read the people of one frame."""
    people = list_people(frame)
    size = written_size(frame)
    return [_person(person, size) for person in people if _has_body(person)]


def list_people(frame: Any) -> Sequence[Any]:
    """Return the people of one frame as they are written.

    Raises:
        KeypointsError: this is no frame.
    """
    if not _is_frame(frame):
        raise KeypointsError(
            f"a frame is a {type(frame).__name__}, expected an object with a list of people."
        )
    people = frame.get("people")
    if not isinstance(people, list | tuple | None):
        raise KeypointsError(f"'people' is a {type(people).__name__}, expected a list of people.")
    return people or ()


def _has_body(person: Any) -> bool:
    return isinstance(person, Mapping) and any(filled(person.get(key)) for key in BODY_KEYS)


def _person(person: Mapping[str, Any], size: tuple[int, int] | None) -> RawPerson:
    key = next(key for key in BODY_KEYS if filled(person.get(key)))
    body = raw_person(triples(person[key], key), size)
    hands = [hand for key in HAND_KEYS if (hand := part(person, key)) is not None]
    return joined(body, {FEET6: part(person, "foot_keypoints_2d"), **_sided_hands(body, hands)})


def _sided_hands(body: RawPerson, hands: list[ndarray]) -> dict[tuple[str, ...], ndarray | None]:
    """Assign each hand to the nearest wrist that has none yet."""
    wrists = {side: body.points[body.names.index(f"{side}_wrist")] for side in HANDS21}
    pairs = [
        (float(np.linalg.norm(hand[0, :2] - wrist[:2])), side, index)
        for index, hand in enumerate(hands)
        for side, wrist in wrists.items()
        if len(hand) == len(HANDS21[side])
        and hand.shape[1] == 3
        and min(hand[0, 2], wrist[2]) > 0.0
    ]
    assigned: dict[str, int] = {}
    for _, side, index in sorted(pairs):
        if side not in assigned and index not in assigned.values():
            assigned[side] = index
    return {HANDS21[side]: hands[index] for side, index in assigned.items()}
