"""Draw poses of people, standing and on the floor, for networks that need no images.

Pose number i of a seed is the same whoever draws it. `python -m training.make_poses --out
runs/data/poses.safetensors --count 65536 --seed 1` takes about three minutes of one core.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from tqdm import tqdm

from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import make_folder, write_whole
from posexfer_core.fit.initialisation import UPRIGHT
from posexfer_core.geometry.so3 import exp_map, log_map

from .console import run_command
from .data.poses import FORMAT
from .processes import in_order
from .synthetic.floor import draw_any_pose
from .synthetic.limbs import Array
from .synthetic.poses import Build

CHUNK = 256


def main(arguments: list[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="python -m training.make_poses", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--count", type=int, required=True, help="poses to draw")
    parser.add_argument("--seed", type=int, required=True, help="decides every pose")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    make_folder(chosen.out.parent)
    poses = draw_poses(chosen.count, chosen.seed, workers=chosen.workers)
    about = {"format": FORMAT, "seed": str(chosen.seed)}
    tensor = torch.from_numpy(poses.astype(np.float32))
    write_whole(chosen.out, save({"pose": tensor}, about))


def draw_poses(count: int, seed: int, *, workers: int = 1) -> Array:
    """Draw poses 0 to `count` of a seed, of the mean bundled body.

    Returns:
        (count, 24, 3) axis-angle, radians, before a camera that sees a standing body's face.

    Raises:
        ConfigError: a number makes no sense.
    """
    if count < 1 or seed < 0 or workers < 1:
        raise ConfigError(
            f"count={count} and workers={workers} must be at least 1, seed={seed} at least 0."
        )
    chunks = [range(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]
    drawn = []
    with tqdm(total=count, desc="drawing poses", unit="pose") as bar:
        for poses in in_order(partial(_draw, seed), chunks, workers=workers):
            drawn.append(poses)
            bar.update(len(poses))
    return np.concatenate(drawn)


def _draw(seed: int, indices: range) -> Array:
    build = Build.bundled()
    poses = np.stack([draw_any_pose(np.random.default_rng([seed, i]), build) for i in indices])
    poses[:, 0] = log_map(UPRIGHT @ exp_map(poses[:, 0]))
    return poses


if __name__ == "__main__":
    sys.exit(main())
