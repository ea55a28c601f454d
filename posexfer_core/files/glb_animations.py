"""Animations of GLB files (glTF 2.0): where the nodes are in every frame of every clip."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

logger = logging.getLogger(__name__)

FEWEST_KEYS_A_SECOND = 10.0
"""Clips with fewer keys, or keys at uneven times, are sampled at `SAMPLED_AT`."""
SAMPLED_AT = 30.0
EVEN = 0.05
"""By which share steps of one clip may differ."""
MOST_FRAMES = 100_000
PATHS = {"translation": 3, "rotation": 4, "scale": 3}
"""What of a node is animated → numbers; morph targets (`weights`) pose no skeleton."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One animated property of one node."""

    node: int
    path: str
    times: Float[ndarray, " keys"]
    """Seconds, rising."""
    values: Float[ndarray, "keys numbers"]
    slopes: tuple[Float[ndarray, "keys numbers"], Float[ndarray, "keys numbers"]] | None = None
    """In front of and behind each key, a second; of cubic splines."""
    steps: bool = False
    """A value holds until the next key."""

    def at(self, time: float) -> Float[ndarray, " numbers"]:
        """Interpolate as appendix C of glTF's specification says; turns take the shorter way."""
        time = float(np.clip(time, self.times[0], self.times[-1]))
        after = min(int(np.searchsorted(self.times, time, "right")), len(self.times) - 1)
        before = max(after - 1, 0)
        if self.steps:
            return self.values[after if time >= self.times[after] else before]
        length = self.times[after] - self.times[before]
        share = (time - self.times[before]) / length if length > 0.0 else 1.0
        first, last = self.values[before], self.values[after]
        if self.slopes is not None:
            return _hermite(
                share, length, first, last, self.slopes[1][before], self.slopes[0][after]
            )
        if self.path == "rotation":
            return _slerp(share, first, last)
        return (1.0 - share) * first + share * last


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One animation, as frames."""

    name: str
    times: Float[ndarray, " frames"]
    """Seconds."""
    channels: Sequence[Channel] = field(repr=False)

    @property
    def frame_rate(self) -> float | None:
        """Frames a second; None of a single frame."""
        length = float(self.times[-1] - self.times[0])
        return (len(self.times) - 1) / length if length > 0.0 else None

    def moved(self, nodes: Sequence[Mapping[str, Any]], frame: int) -> list[dict[str, Any]]:
        """Return the nodes as they are in a frame, from 0."""
        moved = [dict(node) for node in nodes]
        for channel in self.channels:
            moved[channel.node].pop("matrix", None)
            moved[channel.node][channel.path] = channel.at(float(self.times[frame]))
        return moved


def read_clips(document: Mapping[str, Any], array: Any, nodes: set[int]) -> list[Clip]:
    """Read the animations that move a skeleton.

    Args:
        document: of the file, checked.
        array: reads an accessor by its number.
        nodes: of the skeleton, and all that it hangs on.
    """
    clips = []
    for number, animation in enumerate(document.get("animations", [])):
        found = [_channel(one, animation["samplers"], array) for one in animation["channels"]]
        channels = [one for one in found if one is not None and one.node in nodes]
        if channels:
            name = str(animation.get("name") or number)[:40]
            clips.append(Clip(name=name, times=_frame_times(channels), channels=channels))
    return _of_one_rate(clips)


def frame_rate(clips: Sequence[Clip]) -> float | None:
    """Return the rate of all clips; None where each is a single frame."""
    return next((rate for clip in clips if (rate := clip.frame_rate)), None)


def _of_one_rate(clips: list[Clip]) -> list[Clip]:
    """Sample clips of other rates at that of the first, since a motion has one."""
    rate, sampled = frame_rate(clips), []
    for clip in clips:
        if rate and clip.frame_rate and abs(clip.frame_rate / rate - 1.0) > EVEN:
            start, stop = clip.times[0], clip.times[-1]
            count = max(2, 1 + round((stop - start) * rate))
            _check_count(count, stop - start)
            logger.info("%s is sampled at %.4g frames a second, as the others.", clip.name, rate)
            clip = replace(clip, times=np.linspace(start, stop, count))
        sampled.append(clip)
    return sampled


def _channel(entry: Mapping[str, Any], samplers: list[Any], array: Any) -> Channel | None:
    target, sampler = entry["target"], samplers[entry["sampler"]]
    if "node" not in target or target["path"] not in PATHS:
        return None
    width, kind = PATHS[target["path"]], sampler.get("interpolation", "LINEAR")
    times = array(sampler["input"]).reshape(-1).astype(np.float64)
    values = array(sampler["output"]).astype(np.float64).reshape(len(times), -1, width)
    finite = np.isfinite(times).all() and np.isfinite(values).all()
    if not len(times) or not finite or (np.diff(times) < 0.0).any():
        raise ValueError("an animation has no keys, or keys that do not rise")
    cubic = kind == "CUBICSPLINE"
    if values.shape[1] != (3 if cubic else 1):
        raise ValueError(f"an animation has {values.shape[1]} values a key")
    return Channel(
        node=int(target["node"]),
        path=target["path"],
        times=times,
        values=values[:, 1 if cubic else 0],
        slopes=(values[:, 0], values[:, 2]) if cubic else None,
        steps=kind == "STEP",
    )


def _frame_times(channels: Sequence[Channel]) -> Float[ndarray, " frames"]:
    """Take the keys as frames where they are baked, else frames at an even rate."""
    keys = np.unique(np.concatenate([channel.times for channel in channels]).round(5))
    length = float(keys[-1] - keys[0])
    steps = np.diff(keys)
    if len(keys) < 2 or (
        np.ptp(steps) <= EVEN * steps.mean() and steps.mean() * FEWEST_KEYS_A_SECOND <= 1.0
    ):
        return keys
    count = 1 + round(min(length * SAMPLED_AT, MOST_FRAMES + 1.0))
    _check_count(max(count, len(keys)), length)
    return np.linspace(keys[0], keys[-1], count)


def _check_count(frames: int, length: float) -> None:
    if frames > MOST_FRAMES:
        raise ValueError(
            f"an animation lasts {length:.3g} s; at most {MOST_FRAMES} frames are read"
        )


def _slerp(share: float, first: ndarray, last: ndarray) -> Float[ndarray, "4"]:
    first, last = (one / max(float(np.linalg.norm(one)), 1e-12) for one in (first, last))
    cosine = float(first @ last)
    last, cosine = (last, cosine) if cosine >= 0.0 else (-last, -cosine)
    angle = np.arccos(min(cosine, 1.0))
    if angle < 1e-4:
        return (1.0 - share) * first + share * last
    return (np.sin((1.0 - share) * angle) * first + np.sin(share * angle) * last) / np.sin(angle)


def _hermite(
    share: float, length: float, first: ndarray, last: ndarray, leaving: ndarray, coming: ndarray
) -> ndarray:
    s, s2, s3 = share, share**2, share**3
    return (
        (2 * s3 - 3 * s2 + 1) * first
        + length * (s3 - 2 * s2 + s) * leaving
        + (3 * s2 - 2 * s3) * last
        + length * (s3 - s2) * coming
    )
