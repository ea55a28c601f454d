"""Bodies in SMPL's file format, for the tests of several rooms."""

import numpy as np
import pytest

from posexfer_core.body.model import BodyModel

from .body.toy_body import toy_smpl_arrays


@pytest.fixture
def toy_smpl(body: BodyModel) -> dict[str, np.ndarray]:
    """The arrays of a toy body."""
    return toy_smpl_arrays(body)
