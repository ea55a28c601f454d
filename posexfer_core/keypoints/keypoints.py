"""The 2D keypoints of one person, under one set of names, in pixels of one image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import KeypointsError

FAINTEST = 0.05
"""Confidence up to which a keypoint counts as not seen."""
FEWEST = 4
"""Keypoints below which no body can be fitted."""
LEAST_PX = 2.0
"""Extent below which keypoints count as one point."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Keypoints:
    """One person's keypoints. Names are those of `layouts`, such as "nose" or "l_big_toe"."""

    xy: Float[ndarray, "points 2"]
    """Pixels of the image, x right, y down."""
    confidence: Float[ndarray, " points"]
    """0 (not seen) to 1."""
    names: tuple[str, ...]
    image_size: tuple[int, int]
    """`(height, width)`, pixels."""

    def __post_init__(self) -> None:
        """Refuse what no body can be fitted to."""
        seen = self.confidence > 0.0
        if not seen.any():
            raise KeypointsError(
                "The person has no keypoint with a confidence above zero; check the detector's "
                "threshold, or pick another person."
            )
        extent = np.ptp(self.xy[seen], axis=0).max()
        if seen.sum() < FEWEST or extent < LEAST_PX:
            raise KeypointsError(
                f"The person has {int(seen.sum())} visible keypoints of use, within "
                f"{extent:.0f} px; a fit needs at least {FEWEST}, apart from each other. Pick "
                "another person, or an image that shows more of it."
            )

    def only(self, names: Sequence[str]) -> "Keypoints":
        """Keep the named keypoints, in the order of `names`."""
        index = [self.names.index(name) for name in names]
        return replace(
            self, xy=self.xy[index], confidence=self.confidence[index], names=tuple(names)
        )
