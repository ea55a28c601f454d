"""How well bodies are found in meshes of unknown topology: `python -m tests.benchmarks.meshes`."""

import argparse
import sys
import time

import numpy as np
import torch
from numpy import ndarray

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import MeshError
from posexfer_core.register.registration import register
from posexfer_core.register.surface import as_surface
from tests.benchmarks.random_people import random_person

Y_UP = np.diag([1.0, -1.0, -1.0])
FOUND_MM = 50.0
"""Largest error of any joint of a body that counts as found."""


def random_mesh(rng: np.random.Generator, body: BodyModel) -> tuple[ndarray, ndarray, ndarray]:
    """Pose the body at random, y up, and cut its faces anew; vertices, faces and true joints."""
    from fast_simplification import simplify

    person = random_person(rng, body)
    with torch.no_grad():
        posed = body(
            torch.tensor(person.rotations[None]).float(),
            torch.tensor(person.betas[None]).float(),
            torch.zeros(1, 3),
        )
    vertices = (posed.vertices[0].numpy() @ Y_UP.T).astype(np.float32)
    vertices, faces = simplify(vertices, body.faces.int().numpy(), 0.6)[:2]
    return vertices.astype(np.float64), faces.astype(np.int64), posed.joints[0].numpy() @ Y_UP.T


def main() -> None:
    """Print residual, joint error and time of every mesh, and their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, body = np.random.default_rng(options.seed), BodyModel.bundled()
    rows = []
    for number in range(options.count):
        vertices, faces, joints = random_mesh(rng, body)
        start = time.process_time()
        try:
            found = register(as_surface(vertices, faces, up="y"), body)
        except MeshError as error:
            _print(f"{number}: {error}")
            rows.append((np.nan, np.inf, np.inf, time.process_time() - start))
            continue
        seconds = time.process_time() - start
        params = found.params
        posed = body(params.rotations[0], params.betas[0], params.transl[0]).joints[0].numpy()
        errors = 1000.0 * np.linalg.norm(posed - joints, axis=1)
        rows.append((found.residual.mean_mm, errors.mean(), errors.max(), seconds))
        _print(
            f"{number}: residual {rows[-1][0]:.1f} mm, joints {rows[-1][1]:.1f} mm, worst "
            f"{rows[-1][2]:.0f} mm, {seconds:.1f} s CPU"
        )
    residual, joint, worst, seconds = np.array(rows).T
    _print(
        f"median residual {np.nanmedian(residual):.1f} mm, joints {np.median(joint):.1f} mm; "
        f"{(worst < FOUND_MM).sum()} of {len(rows)} with every joint within {FOUND_MM:.0f} mm; "
        f"median {np.median(seconds):.1f} s CPU"
    )


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
