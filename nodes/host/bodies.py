"""Body models by the names that the nodes offer, and choices of persons and frames."""

from dataclasses import replace
from typing import Any

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.body.sequence import join_frames
from ..sockets import PosedBody
from . import paths


def load_body(name: str) -> BodyModel:
    """Open the bundled body or a user's file."""
    path = paths.find_body(name)
    if path is None:
        return BodyModel.bundled()
    from ...posexfer_core.body.files import load_body_model

    return load_body_model(path)


def pick(params: HumanParams, frame: int, person: int) -> HumanParams:
    """Keep one person in one frame, or in all of them for frame -1."""
    if frame >= 0:
        return params.select(frame, person)
    return join_frames([params.select(number, person) for number in range(params.frames)])


def with_params(body: PosedBody, params: Any) -> PosedBody:
    """Pose the same body model in another way."""
    return replace(body, params=params)
