"""Bodies in SMPL's file format, for the tests of several rooms."""

import numpy as np
import pytest

from posexfer_core.body.model import BodyModel
from posexfer_core.keypoints import detector

from .body.toy_body import toy_smpl_arrays


@pytest.fixture(autouse=True)
def no_model_of_this_machine(tmp_path, monkeypatch) -> None:
    """Hide the detector's model that whoever runs the tests may have."""
    monkeypatch.setattr(detector, "models_folder", lambda: tmp_path / "no models")
    monkeypatch.delenv(detector.ENVIRONMENT, raising=False)


@pytest.fixture
def toy_smpl(body: BodyModel) -> dict[str, np.ndarray]:
    """The arrays of a toy body."""
    return toy_smpl_arrays(body)
