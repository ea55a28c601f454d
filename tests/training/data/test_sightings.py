import numpy as np
import pytest

from posexfer_core.body.estimate.lift_network import POINTS
from posexfer_core.body.estimate.prior import PosePrior
from posexfer_core.body.estimate.so3 import log_map
from posexfer_core.body.estimate.starts import UPRIGHT
from training.config import LiftTraining
from training.data.sightings import (
    ARM,
    LEGS,
    draw_sightings,
    lifted_skeleton,
    mixed_poses,
)

STILL = {"half_share": 0.0, "arm_share": 0.0, "free_share": 0.0, "jitter_share": 0.0}


@pytest.fixture
def poses() -> np.ndarray:
    poses = 0.2 * np.random.default_rng(0).normal(size=(64, 24, 3))
    poses[:, 0] = log_map(UPRIGHT[None])[0]
    return poses


def test_rays_are_projected_places(poses):
    plain = LiftTraining(**STILL, noise=0.0, missing=0.0, focal_error=0.0)
    rng = np.random.default_rng(1)
    drawn = draw_sightings(poses, poses, lifted_skeleton(), plain, rng)
    np.testing.assert_allclose(drawn.places.mean(1), 0.0, atol=1e-12)
    # three points and their rays fix the shift: solve for it, then the others must agree
    for rays, places in zip(drawn.rays, drawn.places, strict=True):
        lines = np.concatenate([rays, np.ones((len(rays), 1))], 1)
        rows = np.eye(3)[None, :2] - lines[:, :2, None] * np.eye(3)[None, 2:]
        shift = np.linalg.lstsq(
            rows.reshape(-1, 3), -(rows @ places[..., None]).reshape(-1), rcond=None
        )[0]
        seen = places + shift
        np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], rays, atol=1e-9)


def test_poses_are_mixed_as_the_shares_say(poses):
    others = np.full_like(poses, 0.3)
    others[:, 0] = poses[:, 0]
    rng = np.random.default_rng(2)
    mixed = log_map(mixed_poses(poses, others, LiftTraining(**STILL | {"half_share": 1.0}), rng))
    np.testing.assert_allclose(mixed[:, LEGS], 0.3, atol=1e-9)
    np.testing.assert_allclose(mixed[:, ARM], poses[:, ARM], atol=1e-9)
    free = log_map(mixed_poses(poses, others, LiftTraining(**STILL | {"free_share": 1.0}), rng))
    prior = PosePrior()
    limited = np.abs(prior.upper) < 9.0
    assert (free[:, 1:] <= prior.upper + 1e-9)[:, limited].all()


def test_as_much_is_missing_as_the_settings_say(poses):
    many = np.tile(poses, (8, 1, 1))
    rng = np.random.default_rng(3)
    drawn = draw_sightings(many, many, lifted_skeleton(), LiftTraining(missing=0.4), rng)
    assert drawn.seen.shape == (len(many), len(POINTS))
    assert 0.05 < 1.0 - drawn.seen.mean() < 0.25
