"""Poses to choose from in the editor: the user's own, those that ship, and any file of poses."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.pose_document import (
    ADVICE,
    MOST_CHARACTERS,
    MOST_FRAMES,
    PoseDocument,
    document_of,
    edited,
    standing,
    to_edit,
)
from ...posexfer_core.errors import PoseXferError
from ...posexfer_core.files.json_fields import check_keys, read_json, refusal
from ...posexfer_core.formats.any_pose import read_posed
from .paths import DEMO_PREFIX, SAVED_PREFIX, find_params, list_params
from .posing import read_size

OWN_PREFIX = "own/"
SUFFIX = ".npz"
NAME = re.compile(r"\w[\w .-]{0,63}")
"""Letters of any language, digits, spaces, dots and dashes; no folders."""
POSE_FILES = "a whole file of body parameters, a motion or a mesh of a person"
RENAMING = "Choose a short name of letters, digits, spaces, dots and dashes."


def list_poses(own: Path) -> list[dict[str, Any]]:
    """Name every pose: the user's own first.

    Args:
        own: the folder of this user's poses, which may not exist.

    Returns:
        Of each `name`; `own`, whether it can be deleted; and `quick`, whether it is a file of
        ours, which is read at once. Others may be no pose, or a mesh that a body is fitted to.
    """
    saved = sorted(path.name for path in own.glob(f"*{SUFFIX}") if path.is_file())
    listed = [{"name": OWN_PREFIX + name, "own": True, "quick": True} for name in saved]
    for name in list_params():
        quick = name.startswith((DEMO_PREFIX, SAVED_PREFIX)) and name.endswith(SUFFIX)
        listed.append({"name": name, "own": False, "quick": quick})
    return listed


def load_pose(name: str, own: Path) -> dict[str, Any]:
    """Read the first person of a file as a document.

    Returns:
        `document`, and `notes`: what was left out.

    Raises:
        PoseXferError: there is no such file, or it holds no pose.
    """
    try:
        path = _own_file(name, own) if name.startswith(OWN_PREFIX) else find_params(name)
        if not path.is_file():
            raise refusal(f"Found no pose '{name}'.", "Expected a name of the list.", "Refresh it.")
        found = read_posed(path, BodyModel.bundled(), frame=None)
    except PoseXferError as error:
        if "\n" in str(error):
            raise
        raise refusal(str(error), f"Expected {POSE_FILES}.", "Choose another file.") from error
    start = to_edit(found.params.select(None, 0), found.body)
    document = document_of(start, found.body)
    if start.beta_space == "posexfer" and start.betas[0].any():
        document = replace(document, betas=start.betas[0, 0])
    notes = list(found.notes)
    if start.frames > MOST_FRAMES:
        notes.append(f"Of {start.frames} frames, the first {MOST_FRAMES} are taken.")
    return {"document": document.as_dict(), "notes": notes}


def save_pose(text: str, own: Path) -> str:
    """Write a document as a `.npz` into the user's folder, over one of the same name.

    Args:
        text: JSON of `name`, `document` (with a camera) and `size`, width and height in pixels.
        own: the user's folder, made where it does not exist.

    Returns:
        The name in the list.

    Raises:
        PoseXferError: the text is something else, or the file cannot be written.
    """
    asked = read_json(text, MOST_CHARACTERS, ADVICE)
    check_keys(asked, "what to save", ("name", "document", "size"), (), ADVICE)
    if not isinstance(asked["name"], str):
        raise refusal("Found a name that is no text.", "Expected text.", RENAMING)
    name = OWN_PREFIX + asked["name"].removesuffix(SUFFIX) + SUFFIX
    path = _own_file(name, own)
    document = PoseDocument.from_json(asked["document"])
    if document.camera is None:
        raise refusal("Found no camera.", "Expected a document with its camera.", ADVICE)
    size = read_size(asked["size"])
    own.mkdir(parents=True, exist_ok=True)
    edited(document, standing(size)).save(path)
    return name


def delete_pose(name: str, own: Path) -> None:
    """Delete one of the user's own poses.

    Raises:
        ParamsError: there is none of this name.
    """
    path = _own_file(name, own)
    if not path.is_file():
        raise refusal(
            f"Found no pose '{name[:80]}'.", "Expected one of your own poses.", "Refresh the list."
        )
    path.unlink()


def _own_file(name: str, own: Path) -> Path:
    """Find the file of a pose in the user's folder.

    Raises:
        ParamsError: the name would lead elsewhere.
    """
    stem = name.removeprefix(OWN_PREFIX).removesuffix(SUFFIX)
    if not (name.startswith(OWN_PREFIX) and name.endswith(SUFFIX) and NAME.fullmatch(stem)):
        raise refusal(
            f"Found the name {name[:80]!r}.", "Expected a name as 'own/dancer.npz'.", RENAMING
        )
    path = own / f"{stem}{SUFFIX}"
    if path.is_symlink():
        raise refusal(f"Found a link at '{name}'.", "Expected a file.", "Choose another name.")
    return path
