"""What is known of one person in one image."""

from dataclasses import dataclass

from jaxtyping import Bool
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import KeypointsError
from .joints3d import Joints3D
from .keypoint_placement import MIDPOINTS, known_names
from .keypoints import FAINTEST, FEWEST, Keypoints


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """What is known of one person in one image."""

    keypoints: Keypoints
    joints: Joints3D | None = None
    """Where another estimator has the joints in space."""
    focal_px: float | None = None
    """Focal length of the image; its diagonal when left out."""
    start: HumanParams | None = None
    """Bodies to start from as well, such as `regress_body` reads."""
    mask: Bool[ndarray, "height width"] | None = None
    """Where in the image the person is, from `masks.check_mask`; tells how wide it is."""


def usable_keypoints(keypoints: Keypoints, body: BodyModel) -> Keypoints:
    """Keep seen keypoints that the body has; drop middles of two others that are there.

    Raises:
        KeypointsError: too few are left.
    """
    confidence = dict(zip(keypoints.names, keypoints.confidence, strict=True))
    names = [name for name in known_names(body, keypoints.names) if confidence[name] > FAINTEST]
    names = [name for name in names if not set(MIDPOINTS.get(name, (name + "?",))) <= set(names)]
    if len(names) < FEWEST:
        raise KeypointsError(
            f"Only {len(names)} keypoints of use are seen ({', '.join(names) or 'none'}); a fit "
            f"needs at least {FEWEST}."
        )
    return keypoints.only(names)
