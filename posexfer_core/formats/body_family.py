"""Conversion of parameters to another body family: pose and pelvis are kept, betas are not."""

import logging
from dataclasses import replace

import torch

from ..body.model import BodyModel
from ..body.params import HumanParams
from .track import PELVIS

logger = logging.getLogger(__name__)


def convert_betas(params: HumanParams, body: BodyModel) -> HumanParams:
    """Convert parameters to a body: the pose is kept, betas of another body are not.

    Betas of another body are replaced by the mean shape, with a warning, and the translation is
    changed so that the pelvis stays.

    Args:
        params: of any body.
        body: the body that will be posed.
    """
    if params.beta_space == body.beta_space:
        return params
    logger.warning(
        "The body parameters are of the body %r; the mean shape of %r is used in its place. "
        "To keep the shape, give the body file they were made for (--body).",
        params.beta_space,
        body.beta_space,
    )
    neutral = params.with_neutral_betas(body.beta_space)
    if params.beta_space not in PELVIS:
        return neutral
    _, joints = body.rest(torch.zeros(1, 10).to(body.v_template))
    theirs = torch.tensor(PELVIS[params.beta_space])
    shift = (theirs - joints[0, 0].cpu()).to(params.transl)
    return replace(neutral, transl=neutral.transl + shift)
