from pathlib import Path

import numpy as np
import pytest

from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.pose_networks.weights import REGRESSOR
from training.data.shards import ShardDataset
from training.evaluate_regressor import NAMES, evaluate, make_cases, noisy_keypoints


def test_keypoints_lie_about_where_the_body_has_them(shards: Path, body):
    true = ShardDataset(shards).pair(0).source
    keypoints = noisy_keypoints(true, body, np.random.default_rng(0))
    view = BodyView.of(true, body)
    pixels = project_perspective(view.joints, view.intrinsics)[0, 4]
    knee = keypoints.xy[NAMES.index("l_knee")]
    assert np.abs(knee - pixels.numpy()).max() < 1.5
    assert set(keypoints.confidence.tolist()) <= {0.0, 1.0}


def test_every_way_is_scored_and_printed(shards: Path, capsys: pytest.CaptureFixture[str]):
    cases = make_cases(ShardDataset(shards), 1, REGRESSOR.load()[0])
    scores = evaluate(cases, 2)
    assert len(cases) == 2
    said = capsys.readouterr().out
    for name, score in scores.items():
        assert name in said and score["people"] == 2.0
        assert 0.0 < score["pa_mpjpe_mm"] < 1000.0 and score["mpjpe_mm"] > 0.0
    assert {"regress alone", "fit to keypoints", "fit, regress as one more start"} <= scores.keys()
