"""Biovision's BVH as text: a skeleton at rest, and Euler angles in degrees for every frame."""

import re
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import ParamsError
from ..geometry.so3 import exp_map

MOST_JOINTS = 2_000
MOST_NUMBERS = 20_000_000
AXES = {"x": 0, "y": 1, "z": 2}
MAGIC = b"HIERARCHY"
END_SITE = -2
"""Stands for an end site on the stack of joints."""

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
    text = data.decode("utf-8", errors="replace")
    if not _POINT.search(text):
        text = _COMMA.sub(".", text)
    parts = _MOTION.split(text, maxsplit=1)
    if len(parts) < 2:
        raise ParamsError(f"{name} is a BVH file without its MOTION part.")
    hierarchy, motion = parts
    try:
        skeleton = _read_skeleton(hierarchy, name)
        numbers, frame_time = _read_motion(motion, sum(map(len, skeleton.channels)), name)
    except (ValueError, IndexError) as failure:
        raise ParamsError(f"{name} is a damaged BVH file: {str(failure)[:160]}.") from failure
    offsets = np.array(skeleton.offsets, np.float64).reshape(-1, 3)
    if not (np.isfinite(offsets).all() and np.isfinite(numbers).all()):
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


def _read_motion(text: str, width: int, name: str) -> tuple[Float[ndarray, "frames width"], float]:
    """Read the frames; files that were cut off in the middle of one are damaged."""
    head = re.match(r"\s*Frames\s*:\s*(\d+)\s*Frame\s*Time\s*:\s*(\S+)", text, re.IGNORECASE)
    if head is None:
        raise ParamsError(f"{name} is a BVH file without `Frames:` and `Frame Time:`.")
    frames, frame_time = int(head[1][:12]), float(head[2])
    if frames < 1 or width < 1 or frames * width > MOST_NUMBERS:
        raise ParamsError(f"{name} claims {frames} frames of {width} numbers, too many or none.")
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
    skeleton: _Skeleton, offsets: ndarray, numbers: Float[ndarray, "frames width"]
) -> tuple[Float[ndarray, "frames joints 3"], Float[ndarray, "frames joints 3 3"]]:
    """Convert channels to positions and rotations; rotations multiply in the channels' order."""
    frames = len(numbers)
    positions = np.tile(offsets, (frames, 1, 1))
    rotations = np.tile(np.eye(3), (frames, len(offsets), 1, 1))
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
