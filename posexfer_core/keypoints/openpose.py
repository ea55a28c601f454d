"""Keypoints as OpenPose writes them, and as ComfyUI passes them on (`POSE_KEYPOINT`).

ComfyUI's value is a list of frames. Parts that were not found are None; core writes pixels,
older packs write shares of the canvas. Packs disagree about which hand is left, so that hands
are told apart by the wrists they are near to, never by their names.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import KeypointsError
from .layouts import FEET6, HAND21
from .raw_people import RawPerson, check_frame, filled, image_size, joined, raw_person, triples

BODY_KEYS = ("pose_keypoints_2d", "pose_keypoints")
HAND_KEYS = ("hand_left_keypoints_2d", "hand_right_keypoints_2d")


def find_people(data: Any, frame: int) -> list[RawPerson] | None:
    """Return the people of one frame, or None if this is another format."""
    if isinstance(data, list | tuple) and data and _is_frame(data[0]):
        check_frame(frame, len(data))
        data = data[frame]
    if not isinstance(data, Mapping) or not _is_frame(data):
        return None
    size = image_size(data.get("canvas_height"), data.get("canvas_width"))
    people = data.get("people", ())
    if people is None:
        return []
    if not isinstance(people, list | tuple):
        raise KeypointsError(f"'people' is a {type(people).__name__}, expected a list of people.")
    return [_person(person, size) for person in people if _has_body(person)]


def _is_frame(data: Any) -> bool:
    return isinstance(data, Mapping) and ("people" in data or "canvas_width" in data)


def _has_body(person: Any) -> bool:
    return isinstance(person, Mapping) and any(filled(person.get(key)) for key in BODY_KEYS)


def _person(person: Mapping[str, Any], size: tuple[int, int] | None) -> RawPerson:
    key = next(key for key in BODY_KEYS if filled(person.get(key)))
    raw = raw_person(triples(person[key], key), size)
    if filled(feet := person.get("foot_keypoints_2d")):
        raw = joined(raw, triples(feet, "foot_keypoints_2d"), FEET6)
    hands = [triples(person[key], key) for key in HAND_KEYS if filled(person.get(key))]
    for side, hand in _sided_hands(raw, hands).items():
        raw = joined(raw, hand, [f"{side}_{name}" if name else "" for name in HAND21])
    return raw


def _sided_hands(raw: RawPerson, hands: list[ndarray]) -> dict[str, ndarray]:
    """Give each hand to the nearer free wrist."""
    sided: dict[str, ndarray] = {}
    wrists = {side: raw.points[raw.names.index(f"{side}_wrist")] for side in ("l", "r")}
    pairs = [
        (float(np.linalg.norm(hand[0, :2] - wrist[:2])), side, index)
        for index, hand in enumerate(hands)
        for side, wrist in wrists.items()
        if len(hand) == len(HAND21) and hand.shape[1] == 3 and min(hand[0, 2], wrist[2]) > 0.0
    ]
    given: set[int] = set()
    for _, side, index in sorted(pairs):
        if side not in sided and index not in given:
            sided[side] = hands[index]
            given.add(index)
    return sided
