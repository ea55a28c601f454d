"""What a file that is not recognised looks like most, what it lacks, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import KeypointsError, UnknownFileError
from ..files.containers import describe
from ..files.fields import keys_of
from ..keypoints.detections import read_keypoints
from .format import Format

ENTRIES = 5
"""Values of a dict that are looked into."""
LEAST_SHARE = 0.5
"""Of a tool's names that a file must have to look like it."""
ALIKE = 0.75
"""Likeness of two names from which one may be meant by the other."""
OTHER_KINDS = (
    (
        {"v_template", "weights", "kintree_table"},
        "a body model, which parameters are posed on",
        "Give it with --body, and a file of parameters or a motion here.",
    ),
    (
        {"R_cam2world", "K_fullimg"},
        "a camera's path without a body",
        "Give the file with body_pose and global_orient that was written beside it.",
    ),
    (
        {"skeleton_tree", "root_translation"},
        "a motion or a pose of Isaac Gym's poselib, of a robot's or another skeleton of its own",
        "Give the human motion that it was retargeted from: a BVH, AMASS's or PHC's file.",
    ),
)
"""Names that only another kind of file has, what it is, and what to do with it."""
WIDTHS = {
    63: "SMPL-X's body_pose, without the root",
    66: "poses up to the wrists",
    69: "SMPL's body_pose, without the root",
    72: "SMPL's poses",
    75: "SMPL's poses and a translation",
    156: "SMPL-H's poses",
    165: "SMPL-X's poses",
}
"""Numbers a row of arrays without a name."""


def unknown_file(name: str, content: Any, formats: Sequence[Format]) -> UnknownFileError:
    """Explain why a file is no body parameter file that is known.

    Args:
        name: of the file.
        content: of the file.
        formats: all that are read.
    """
    found = f"{name} is not recognised as body parameters. It holds {describe(content)[:300]}."
    for only, what, advice in OTHER_KINDS:
        if only <= keys_of(content):
            return UnknownFileError(found, f"It is {what}.", advice)
    if isinstance(content, np.ndarray):
        return UnknownFileError(found, *_of_array(content))
    if _are_keypoints(content):
        return UnknownFileError(
            found,
            "It looks like keypoints of people in an image, not like a body.",
            "`posexfer estimate IMAGE KEYPOINTS` fits a body to them; give its .npz here.",
        )
    if (kind := _most_like(content, formats)) is not None:
        return UnknownFileError(found, *kind)
    return UnknownFileError(
        found,
        "None of its names is one that a known tool writes; expected, for instance, smplx's "
        "global_orient, body_pose, betas and transl.",
        "Save it under those names as .npz, or its motion as .bvh; docs/formats.md lists what is "
        "read.",
    )


def _of_array(array: np.ndarray) -> tuple[str, str]:
    width = WIDTHS.get(array.shape[-1] if array.ndim else 0, "no pose that is known")
    return (
        f"It is an array without a name; its rows are as long as {width}.",
        "Save it as .npz with a name for each part: poses and trans as AMASS has them, or "
        "global_orient, body_pose, betas and transl.",
    )


def _levels(content: Any) -> Iterator[Mapping[Any, Any]]:
    """List the dicts of a file, two levels deep."""
    outer = [content, *(content[:1] if isinstance(content, list | tuple) else ())]
    for one in outer:
        if isinstance(one, Mapping):
            yield one
            for value in list(one.values())[:ENTRIES]:
                first = value[0] if isinstance(value, list | tuple) and value else value
                if isinstance(first, Mapping):
                    yield first


def _most_like(content: Any, formats: Sequence[Format]) -> tuple[str, str] | None:
    """Find the format that has the largest share of its names in the file."""
    best = (0.0, 0, 0)
    said = None
    for order, known in enumerate(formats):
        for level in _levels(content):
            there = keys_of(level)
            seen = [key for key in known.keys if key in there]
            score = (len(seen) / max(len(known.keys), 1), len(seen), -order)
            if score[0] >= LEAST_SHARE and score > best:
                best, said = score, (known, there)
    if said is None:
        return None
    known, there = said
    lacking = [key for key in known.keys if key not in there]
    if not lacking:
        return (
            f"It has the names of {known.title}, but not where or as that tool writes them.",
            f"Check where it is from; --format {known.name} reads it as that and says what is off.",
        )
    hints = [
        f"{key} (is it {close[0]}?)" if (close := get_close_matches(key, there, 1, ALIKE)) else key
        for key in lacking
    ]
    return (
        f"It looks most like {known.title}, told by {', '.join(known.keys)}; "
        f"{', '.join(hints)} {'is' if len(hints) == 1 else 'are'} lacking.",
        "Add what is lacking under that name, or say what wrote the file with --format; "
        "docs/formats.md lists the names of each.",
    )


def _are_keypoints(content: Any) -> bool:
    try:
        return bool(read_keypoints(content).people(0))
    except KeypointsError:
        return False
