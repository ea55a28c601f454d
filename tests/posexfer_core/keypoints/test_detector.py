import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from posexfer_core.conventions import DEMO
from posexfer_core.errors import ConfigError, DetectorMissingError
from posexfer_core.files.images import load_image
from posexfer_core.keypoints import detector
from posexfer_core.keypoints.detect_people import detect_people
from posexfer_core.keypoints.detector import PARTS, PoseLandmarker, check_model, find_model


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(detector, "models_folder", lambda: tmp_path)
    monkeypatch.delenv(detector.ENVIRONMENT, raising=False)
    return tmp_path


def model(path: Path) -> Path:
    """Write an archive with a model's names and nothing in it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in PARTS:
            archive.writestr(name, b"")
    return path


def test_a_model_is_named_or_found_in_the_folder_the_best_first(folder, monkeypatch):
    with pytest.raises(DetectorMissingError, match=r"posexfer\[detect\]"):
        find_model()
    lite, full = (model(folder / f"pose_landmarker_{kind}.task") for kind in ("lite", "full"))
    assert find_model() == full
    other, named = model(folder / "other.task"), model(folder / "named.task")
    monkeypatch.setenv(detector.ENVIRONMENT, str(other))
    assert find_model() == other
    assert find_model(named) == named
    full.unlink()
    monkeypatch.delenv(detector.ENVIRONMENT)
    assert find_model() == lite


def test_a_model_that_is_named_must_be_there(folder, monkeypatch):
    with pytest.raises(ConfigError, match=r"--detector names .*none\.task"):
        find_model(folder / "none.task")
    monkeypatch.setenv(detector.ENVIRONMENT, str(folder / "gone.task"))
    with pytest.raises(ConfigError, match=r"\$POSEXFER_DETECTOR names .*gone\.task"):
        find_model()


def test_what_is_no_model_is_refused(folder):
    check_model(model(folder / "good.task"))
    (folder / "text.task").write_text("no archive")
    with zipfile.ZipFile(folder / "face.task", "w") as archive:
        archive.writestr("face_detector.tflite", b"")
    for name, found in (("text", "no archive"), ("face", "face_detector.tflite")):
        with pytest.raises(ConfigError, match=rf"{name}\.task is no .* it holds {found}"):
            check_model(folder / f"{name}.task")


def test_a_missing_package_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(DetectorMissingError, match=r"mediapipe: pip install 'posexfer\[detect\]'"):
        PoseLandmarker(model(folder / "a.task"))


@pytest.mark.slow
def test_the_real_detector_finds_the_astronaut():
    pytest.importorskip("mediapipe")
    path = os.environ.get("POSEXFER_TEST_DETECTOR")
    if path is None:
        pytest.skip("set POSEXFER_TEST_DETECTOR to a model, or run `make test-detector`")
    image = load_image(DEMO / "astronaut.jpg")[0]
    with PoseLandmarker(Path(path)) as landmarker:
        people = detect_people(image, landmarker)
        assert detect_people(image * 0.0, landmarker) == []
    assert len(people) == 1
    points, mask = people[0].points, people[0].mask()
    nose = points[0, :2]
    left_shoulder, right_shoulder = points[11, :2], points[12, :2]
    assert np.abs(nose - [223.0, 133.0]).max() < 25.0
    assert right_shoulder[0] < nose[0] < left_shoulder[0]
    assert people[0].score > 0.5
    assert 0.3 < float((mask > 0.5).float().mean()) < 0.8
    assert float(mask[int(nose[1]), int(nose[0])]) > 0.9
    assert float(mask[:20, -20:].max()) < 0.5
