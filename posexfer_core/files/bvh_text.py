"""Biovision's BVH as text: a skeleton at rest, and Euler angles in degrees for every frame."""

import logging
import re
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import ParamsError
from ..geometry.so3 import exp_map

logger = logging.getLogger(__name__)

MOST_JOINTS = 2_000
MOST_NUMBERS = 20_000_000
AXES = {"x": 0, "y": 1, "z": 2}
START = re.compile(rb"(?>[\s\xef\xbb\xbf]++|(?:#|//|;)[^\r\n]*+)*+HIERARCHY\b", re.IGNORECASE)
"""How a file begins, remarks in front of it included."""
REST_TIME = 1.0 / 30.0
"""Seconds of a frame where a file has no motion, or does not say."""
AT_REST = f"Frames: 0 Frame Time: {REST_TIME}"
"""The motion of a skeleton alone."""
END_SITE = -2
"""Stands for an end site on the stack of joints."""

_REMARK = re.compile(r"^[ \t]*(?:#|//|;).*$", re.MULTILINE)
_MOTION = re.compile(r"(?<=[\r\n}])[ \t]*MOTION\b", re.IGNORECASE)
_POINT, _COMMA = re.compile(r"\d\.\d"), re.compile(r"(?<=\d),(?=\d)")
"""In numbers; some languages write a comma for the point."""
_CHANNEL = re.compile(r"([XYZ])(position|rotation)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Bvh:
    """A skeleton and its motion, in the file's own unit and axes."""

    names: list[str]
    parents: list[int]
    """Of each joint; -1 for a root. Parents come first."""
    offsets: Float[ndarray, "joints 3"]
    """From the parent, at rest."""
    positions: Float[ndarray, "frames joints 3"]
    """Of each joint in its parent's frame."""
    rotations: Float[ndarray, "frames joints 3 3"]
    """Relative to the parent; the identity is the rest pose."""
    frame_time: float
    """Seconds."""

    def world(
        self,
    ) -> tuple[Float[ndarray, "frames joints 3 3"], Float[ndarray, "frames joints 3"]]:
        """Compose the tree: world rotations and positions of all joints."""
        rotations, places = self.rotations.copy(), self.positions.copy()
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                above = rotations[:, parent]
                places[:, joint] = (
                    places[:, parent] + (above @ self.positions[:, joint, :, None])[..., 0]
                )
                rotations[:, joint] = above @ self.rotations[:, joint]
        return rotations, places

    def rest(self) -> Float[ndarray, "joints 3"]:
        """Place the joints at rest, the root at its own offset."""
        places = self.offsets.copy()
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                places[joint] += places[parent]
        return places


@dataclass
class _Skeleton:
    """The HIERARCHY of a file: names, parents, offsets and channels of the joints."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[tuple[int, bool]]] = field(default_factory=list)
    """Of each joint, in order: the axis, and whether it is a rotation."""


def parse_bvh(data: bytes, name: str) -> Bvh:
    """Read a BVH file.

    Raises:
        ParamsError: it is damaged, or claims more than it holds.
    """
    text = _REMARK.sub("", data.decode("utf-8", errors="replace"))
    if not _POINT.search(text):
        text = _COMMA.sub(".", text)
    hierarchy, *motion = _MOTION.split(text, maxsplit=1)
    opened, closed = hierarchy.count("{"), hierarchy.count("}")
    if not motion and (opened != closed or not hierarchy.rstrip().endswith("}")):
        raise ParamsError(
            f"{name} is a BVH file without its MOTION part, and its HIERARCHY does not end with "
            f"its last brace: {opened} are opened, {closed} closed. Export it again."
        )
    try:
        skeleton = _read_skeleton(hierarchy, name)
        width = sum(map(len, skeleton.channels))
        numbers, frame_time = _read_motion(motion[0] if motion else AT_REST, width, name)
    except (ValueError, IndexError) as failure:
        raise ParamsError(f"{name} is a damaged BVH file: {str(failure)[:160]}.") from failure
    offsets = np.array(skeleton.offsets, np.float64).reshape(-1, 3)
    if not np.isfinite(offsets).all() or (numbers is not None and not np.isfinite(numbers).all()):
        raise ParamsError(f"{name} holds numbers that are NaN or infinite.")
    positions, rotations = _apply(skeleton, offsets, numbers)
    return Bvh(
        names=skeleton.names,
        parents=skeleton.parents,
        offsets=offsets,
        positions=positions,
        rotations=rotations,
        frame_time=frame_time,
    )


def _read_skeleton(text: str, name: str) -> _Skeleton:
    """Read the tree, word by word; end sites have no channels and are left out."""
    skeleton, stack, opened = _Skeleton(), [], -1
    words = text.replace("{", " { ").replace("}", " } ").split()
    at = 0
    while at < len(words):
        word, at = words[at].upper(), at + 1
        match word:
            case "ROOT" | "JOINT":
                if len(skeleton.names) >= MOST_JOINTS:
                    raise ParamsError(f"{name} has more than {MOST_JOINTS} joints.")
                opened = len(skeleton.names)
                start, at = at, words.index("{", at)
                if "}" in words[start:at]:
                    raise ValueError(f"a joint ends before it begins: {words[start]}")
                skeleton.names.append(" ".join(words[start:at]))
                skeleton.parents.append(stack[-1] if stack else -1)
                skeleton.offsets.append([0.0, 0.0, 0.0])
                skeleton.channels.append([])
            case "END":
                opened, at = END_SITE, words.index("{", at)
            case "{":
                stack.append(opened)
            case "}":
                stack.pop()
            case "OFFSET" if stack and stack[-1] != END_SITE:
                skeleton.offsets[stack[-1]] = _read_offset(words[at : at + 3])
                at += 3
            case "CHANNELS" if stack and stack[-1] != END_SITE:
                end = at + 1
                while end < len(words) and _CHANNEL.fullmatch(words[end]):
                    end += 1
                skeleton.channels[stack[-1]] = _read_channels(words[at:end])
                at = end
    if not skeleton.names:
        raise ParamsError(f"{name} is a BVH file without joints.")
    return skeleton


def _read_offset(words: list[str]) -> list[float]:
    if len(words) != 3 or any(word.upper() in ("CHANNELS", "JOINT", "END", "}") for word in words):
        raise ValueError("an OFFSET has fewer than three numbers")
    return [float(word) for word in words]


def _read_channels(words: list[str]) -> list[tuple[int, bool]]:
    count, *channels = words
    found = [_CHANNEL.fullmatch(word) for word in channels]
    if int(count) != len(channels) or len(channels) > 6 or not all(found):
        raise ValueError(f"CHANNELS {' '.join(words)[:60]} is not a count with as many channels")
    return [(AXES[one[1].lower()], one[2].lower() == "rotation") for one in found if one]


def _read_motion(
    text: str, width: int, name: str
) -> tuple[Float[ndarray, "frames width"] | None, float]:
    """Read the frames, none of a skeleton alone; files that end within one are damaged."""
    head = re.match(r"\s*Frames\s*:\s*(\d+)\s*Frame\s*Time\s*:\s*(\S+)", text, re.IGNORECASE)
    if head is None:
        raise ParamsError(f"{name} is a BVH file without `Frames:` and `Frame Time:`.")
    frames, frame_time = int(head[1][:12]), float(head[2])
    if frames == 0:
        logger.warning("%s holds no motion; its skeleton at rest is read, as one frame.", name)
        return None, REST_TIME
    if width < 1 or frames * width > MOST_NUMBERS:
        raise ParamsError(f"{name} claims {frames} frames of {width} numbers, too many or none.")
    if frame_time == 0.0:
        logger.warning("%s: its frames last 0 s; 30 frames a second are taken.", name)
        frame_time = REST_TIME
    if not 1e-5 < frame_time < 1e3:
        raise ParamsError(f"{name}: a frame lasts {frame_time} s; expected seconds, as 0.0333333.")
    numbers = np.array(text[head.end() :].split(), np.float64)
    if numbers.size < frames * width:
        raise ParamsError(
            f"{name} claims {frames} frames of {width} numbers but holds {numbers.size} numbers; "
            "it was cut off. Export it again."
        )
    return numbers[: frames * width].reshape(frames, width), frame_time


def _apply(
    skeleton: _Skeleton, offsets: ndarray, numbers: Float[ndarray, "frames width"] | None
) -> tuple[Float[ndarray, "frames joints 3"], Float[ndarray, "frames joints 3 3"]]:
    """Convert channels to positions and rotations; rotations multiply in the channels' order.

    Without numbers the skeleton is at rest, in one frame.
    """
    frames = 1 if numbers is None else len(numbers)
    positions = np.tile(offsets, (frames, 1, 1))
    rotations = np.tile(np.eye(3), (frames, len(offsets), 1, 1))
    if numbers is None:
        return positions, rotations
    column = 0
    for joint, channels in enumerate(skeleton.channels):
        for axis, turns in channels:
            if turns:
                turn = exp_map(np.deg2rad(numbers[:, column, None]) * np.eye(3)[axis])
                rotations[:, joint] = rotations[:, joint] @ turn
            else:
                positions[:, joint, axis] = numbers[:, column]
            column += 1
    return positions, rotations
