import numpy as np
import pytest

from posexfer_core.fit.initialisation import UPRIGHT
from posexfer_core.fit.pose_prior import PosePrior
from posexfer_core.geometry.so3 import log_map
from posexfer_core.pose_networks.pose_lifting_network import LIFTED_NAMES
from training.config import LifterTraining
from training.data.simulated_detections import (
    ARM,
    HIPS,
    LAYOUTS,
    LEGS,
    LOW,
    draw_detections,
    lifted_skeleton,
    mixed_poses,
)
from training.sample_random import SampleRandom

STILL = {"half_share": 0.0, "arm_share": 0.0, "free_share": 0.0, "jitter_share": 0.0}


@pytest.fixture
def poses() -> np.ndarray:
    poses = 0.2 * np.random.default_rng(0).normal(size=(64, 24, 3))
    poses[:, 0] = log_map(UPRIGHT[None])[0]
    return poses


def seen_from(rays: np.ndarray, places: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Shift places to where the camera sees the known ones along their rays, least squares."""
    lines = np.concatenate([rays, np.ones((len(rays), 1))], 1)
    rows = (np.eye(3)[None, :2] - lines[:, :2, None] * np.eye(3)[None, 2:])[known]
    off = -(rows @ places[known, :, None]).reshape(-1)
    return places + np.linalg.lstsq(rows.reshape(-1, 3), off, rcond=None)[0]


def test_rays_are_projected_places_but_for_those_that_tools_disagree_on(poses):
    plain = LifterTraining(**STILL, noise=0.0, missing=0.0, focal_error=0.0)
    rng = SampleRandom.seeded(1, range(len(poses)))
    drawn = draw_detections(poses, poses, lifted_skeleton(), plain, rng)
    np.testing.assert_allclose(drawn.places.mean(1), 0.0, atol=1e-12)
    same = np.setdiff1d(np.arange(len(LIFTED_NAMES)), HIPS)
    hips = []
    for rays, places in zip(drawn.rays, drawn.places, strict=True):
        seen = seen_from(rays, places, same)
        off = rays - seen[:, :2] / seen[:, 2:]
        np.testing.assert_allclose(off[same], 0.0, atol=1e-9)
        metres = np.linalg.norm(off * seen[:, 2:], axis=1)
        assert 0.0 < metres[HIPS].max() < 0.08
        hips.append(np.linalg.norm(rays[HIPS[0]] - rays[HIPS[1]]) * seen[HIPS, 2].mean())
    assert np.mean(hips) > np.mean(
        np.linalg.norm(np.diff(drawn.places[:, HIPS, :2], axis=1), axis=2)
    )


def test_poses_are_mixed_as_the_shares_say(poses):
    others = np.full_like(poses, 0.3)
    others[:, 0] = poses[:, 0]
    rng = SampleRandom.seeded(2, range(len(poses)))
    mixed = log_map(mixed_poses(poses, others, LifterTraining(**STILL | {"half_share": 1.0}), rng))
    np.testing.assert_allclose(mixed[:, LEGS], 0.3, atol=1e-9)
    np.testing.assert_allclose(mixed[:, ARM], poses[:, ARM], atol=1e-9)
    free = log_map(mixed_poses(poses, others, LifterTraining(**STILL | {"free_share": 1.0}), rng))
    prior = PosePrior()
    limited = np.abs(prior.upper) < 9.0
    assert (free[:, 1:] <= prior.upper + 1e-9)[:, limited].all()


def test_as_much_is_missing_as_the_settings_say(poses):
    many = np.tile(poses, (8, 1, 1))
    rng = SampleRandom.seeded(3, range(len(many)))
    drawn = draw_detections(many, many, lifted_skeleton(), LifterTraining(missing=0.4), rng)
    assert drawn.seen.shape == (len(many), len(LIFTED_NAMES))
    arms = [index for index, name in enumerate(LIFTED_NAMES) if name[2:] in ("elbow", "wrist")]
    assert 0.1 < 1.0 - drawn.seen[:, arms].mean() < 0.18


def test_people_are_seen_in_the_layouts_of_detectors(poses):
    """Whole feet or faces are missing, not just single points."""
    many = np.tile(poses, (8, 1, 1))
    rng = SampleRandom.seeded(4, range(len(many)))
    seen = draw_detections(many, many, lifted_skeleton(), LifterTraining(missing=0.0), rng).seen
    upper = np.setdiff1d(np.arange(len(LIFTED_NAMES)), LOW)
    for layout, share in LAYOUTS.items():
        whole = np.isin(LIFTED_NAMES, layout)
        assert abs((seen == whole).all(1).mean() - share) < 0.08
    kinds = {tuple(np.isin(LIFTED_NAMES, layout)[upper]) for layout in LAYOUTS}
    assert {tuple(row) for row in seen[:, upper]} == kinds
