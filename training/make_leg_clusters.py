"""Measure how the legs of our own stances turn: the clusters of the fit's prior.

`python -m training.make_leg_clusters` writes `posexfer_core/body/assets/leg_clusters.npz`: for each
stance of `synthetic.stances` and `synthetic.floor`, drawn many times, the mean and the covariance
of the axis-angle of hips and knees. It gives the same numbers every time.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from posexfer_core.errors import PoseXferError
from posexfer_core.files.archive import write_archive
from posexfer_core.fit.leg_clusters import ASSET, LEGS

from .synthetic.floor import FLOOR_SHARE, FLOOR_STANCES
from .synthetic.limbs import Array
from .synthetic.poses import Build, pose_in_stance
from .synthetic.stances import STANCES, Stance

DRAWS = 300
"""Poses of each stance."""


def main(arguments: list[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(
        prog="python -m training.make_leg_clusters", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=ASSET, help=f"the .npz file (default {ASSET})")
    chosen = parser.parse_args(arguments)
    try:
        write_archive(chosen.out, leg_clusters(DRAWS))
    except PoseXferError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def leg_clusters(draws: int) -> dict[str, Array]:
    """Draw every stance and measure its legs.

    Returns:
        `share` (stances,), `mean` (stances, 12) and `covariance` (stances, 12, 12), radians.
    """
    build = Build.bundled()
    shares, legs = [], []
    for stances, share in ((STANCES, 1.0 - FLOOR_SHARE), (FLOOR_STANCES, FLOOR_SHARE)):
        total = sum(stance.weight for stance in stances.values())
        shares += [share * stance.weight / total for stance in stances.values()]
        legs += [
            _legs_of(stance, build, draws) for stance in tqdm(stances.values(), desc="stances")
        ]
    return {
        "share": np.array(shares, np.float32),
        "mean": np.stack([rows.mean(0) for rows in legs]).astype(np.float32),
        "covariance": np.stack([np.cov(rows.T) for rows in legs]).astype(np.float32),
    }


def _legs_of(stance: Stance, build: Build, draws: int) -> Array:
    rng = np.random.default_rng(0)
    poses = np.stack([pose_in_stance(rng, build, stance) for _ in range(draws)])
    return poses[:, LEGS].reshape(draws, 12)


if __name__ == "__main__":
    sys.exit(main())
