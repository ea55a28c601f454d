"""Parameters of one body family on the body of another: pose and pelvis stay, betas go."""

import logging
from dataclasses import replace

import torch

from ..body.model import BodyModel
from ..body.params import HumanParams
from .track import PELVIS

logger = logging.getLogger(__name__)


def convert_betas(params: HumanParams, body: BodyModel) -> HumanParams:
    """Give parameters to a body: the pose is kept, betas of another body are not.

    Where the betas are another body's, they are dropped for the mean shape, a warning says so,
    and the body is shifted so that its pelvis stands where the other's stood.

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
