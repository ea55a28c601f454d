"""Body parameters of single frames, joined to a sequence."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..errors import ParamsError
from .details import Details
from .params import HumanParams

_PER_FRAME = ("pose", "betas", "transl", "intrinsics", "camera_from_world", "confidence")


def join_frames(parts: Sequence[HumanParams]) -> HumanParams:
    """Show one after the other.

    Raises:
        ParamsError: there are none, or they differ in picture size, body model or persons.
    """
    kinds = {(part.picture_size, part.beta_space, part.persons) for part in parts}
    if len(kinds) != 1:
        raise ParamsError(
            f"Frames of {len(kinds)} kinds (picture size, body model, persons) cannot be joined: "
            f"{sorted(map(str, kinds))}. Make them alike first."
        )
    joined = {name: torch.cat([getattr(part, name) for part in parts]) for name in _PER_FRAME}
    details = None
    if any(part.details is not None for part in parts):
        details = Details.joined([part.details or Details.rest(part.pose) for part in parts])
    return replace(parts[0], **joined, details=details)
