"""How much masks improve the shape: `python -m tests.benchmarks.silhouette`.

Random bodies with 3 px noise and known focal length are fitted to keypoints alone, to keypoints and
their true masks, and to masks that are 3 to 8 px too wide all around, as clothes make them, and
lack a square of a sixth of the person's side. Bodies are compared at rest and at equal height:
size and distance of a person are not to be told apart. Wide and slim people are so in the way that
changes the skin most and the joints least.
"""

import argparse
import sys
import time

import numpy as np
import torch
from numpy import ndarray
from scipy.ndimage import binary_dilation

from posexfer_core.body.model import BodyModel
from posexfer_core.fit.fit import fit_people
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.fit import joint_error_mm
from tests.benchmarks.random_people import FOCAL_PX, Person, person_mask, random_person

WIDER_PX = (3, 8)
UNUSUAL = 2.5
"""Standard deviations by which wide people are wide, along what keypoints do not show."""
MEAN_HEIGHT_MM = 1700.0


def main() -> None:
    """Print one line for each kind of mask."""
    parser = argparse.ArgumentParser(description="Measure what masks tell of shapes.")
    parser.add_argument("--count", type=int, default=64, help="people of each kind (default: 64)")
    count = parser.parse_args().count
    body = BodyModel.bundled()
    for who, unusual in (("usual", 0.0), ("wide", UNUSUAL), ("slim", -UNUSUAL)):
        rng = np.random.default_rng(0)
        more = unusual * widening(body)
        people = [random_person(rng, body, more_betas=more) for _ in range(count)]
        masks = [person_mask(person, body) for person in people]
        spoilt = [spoilt_mask(mask, rng) for mask in masks]
        none: list[ndarray | None] = [None] * count
        for what, used in (("no masks", none), ("true masks", masks), ("spoilt masks", spoilt)):
            sys.stdout.write(f"{who} people, {what:13s} {_scores(people, used, body)}\n")


def _scores(people: list[Person], masks: list[ndarray] | list[ndarray | None], body: BodyModel):
    observations = [
        Observation(keypoints=person.keypoints, focal_px=FOCAL_PX, mask=mask)
        for person, mask in zip(people, masks, strict=True)
    ]
    start = time.process_time()
    results = fit_people(observations, body=body)
    seconds = (time.process_time() - start) / len(people)
    pairs = list(zip(results, people, strict=True))
    shape = [
        shape_error_mm(body, result.params.betas[0, 0].double().numpy(), person.betas)
        for result, person in pairs
    ]
    joints = [joint_error_mm(body, result, person) for result, person in pairs]
    return (
        f"shape {np.mean(shape):.1f} mm, PA-MPJPE {np.mean(joints):.1f} mm, "
        f"reprojection {np.mean([one.reprojection_px for one in results]):.2f} px; "
        f"{seconds:.3f} s each"
    )


def widening(body: BodyModel) -> ndarray:
    """Find the betas, of length 1, that widen the skin most for what they change of the joints."""
    skin = body.shapedirs.double().flatten(0, 1).numpy()
    joints = (body.joint_regressor.double() @ body.shapedirs.double().flatten(1)).view(-1, 10)
    values, vectors = np.linalg.eigh(joints.numpy().T @ joints.numpy() + 1e-5 * np.eye(10))
    whitened = skin @ vectors / np.sqrt(values)
    direction = vectors / np.sqrt(values) @ np.linalg.eigh(whitened.T @ whitened)[1][:, -1]
    change = (body.shapedirs.double().numpy() @ direction)[:, [0, 2]]
    outward = np.sign((change * body.v_template.double().numpy()[:, [0, 2]]).sum())
    return outward * direction / np.linalg.norm(direction)


def shape_error_mm(body: BodyModel, found: ndarray, true: ndarray) -> float:
    """Return the mean distance of vertices at rest, heights made equal and means laid together."""
    with torch.no_grad():
        both = body.rest(torch.from_numpy(np.stack([found, true])).float())[0].double().numpy()
    both *= MEAN_HEIGHT_MM / np.ptp(both[..., 1], axis=1)[:, None, None]
    both -= both.mean(1, keepdims=True)
    return float(np.linalg.norm(both[0] - both[1], axis=-1).mean())


def spoilt_mask(mask: ndarray, rng: np.random.Generator) -> ndarray:
    """Widen a mask all around, and cut a square out of it somewhere."""
    wide = binary_dilation(mask, iterations=int(rng.integers(*WIDER_PX, endpoint=True)))
    rows, columns = np.nonzero(wide)
    center, half = rng.integers(len(rows)), max(int(np.ptp(rows)), int(np.ptp(columns))) // 12
    row, column = rows[center], columns[center]
    wide[max(row - half, 0) : row + half, max(column - half, 0) : column + half] = False
    return wide


if __name__ == "__main__":
    main()
