"""How good and how fast the fit is: `python -m tests.benchmarks.fit [KEYPOINTS ...]`.

Prints the reprojection error on keypoint files of photos that are given, and PA-MPJPE over random
bodies of which the truth is known: easy ones, and 200 of each of three seeds with 5 px noise, a
fifth of the keypoints missing and a focal length wrong by up to 30 %. Those of the first seed are
fitted without the pose lifter too. Times are of the processor, in seconds, of one core with
OMP_NUM_THREADS=1.

Limb order: a limb (shoulder to wrist, hip to ankle) is ambiguous when its true ends lie more than
`AMBIGUOUS_M` apart in depth, so that its mirror image in depth is another pose with nearly the same
image. It is right when the fit has the same end in front.

Confidence is the probability that a joint is within `NEAR_M` of the truth, pelvis on pelvis; beside
it stands the share of joints that are.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.fit.confidence import NEAR_M
from posexfer_core.fit.fit import BATCH, FitResult, fit_keypoints, fit_people
from posexfer_core.fit.limb_flips import LIMBS
from posexfer_core.fit.search import SearchPlan
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.detections import load_keypoints
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17, FEET6
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.random_people import FOCAL_PX, Person, aligned_error_mm, random_person

PEOPLE = 50
HARD_PEOPLE = 200
SEEDS = (0, 1, 2)
"""Of the hard people: three draws, for a setting may suit one by chance."""
HARD_NOISE_PX = 5.0
MISSING = 0.2
FOCAL_ERROR = 0.3
AMBIGUOUS_M = 0.15
CONFIDENCES = (0.2, 0.4, 0.6, 0.8, 0.9)
"""Where the ranges of confidence meet."""


def main() -> None:
    """Print one line for each measure."""
    body = BodyModel.bundled()
    for path in map(Path, sys.argv[1:]):
        seconds, result = _timed_fit(load_keypoints(path), body, None)
        _print(f"{path.name}: {result.reprojection_px:.2f} px, {seconds:.3f} s")
    for label, names in (("COCO-17 and feet", COCO17 + FEET6), ("COCO-17 alone", COCO17)):
        rng = np.random.default_rng(0)
        people = [random_person(rng, body, names=names) for _ in range(PEOPLE)]
        fits = [_timed_fit(person.keypoints, body, FOCAL_PX) for person in people]
        errors = [
            joint_error_mm(body, result, person)
            for (_, result), person in zip(fits, people, strict=True)
        ]
        seconds = np.median([seconds for seconds, _ in fits])
        _print(
            f"{PEOPLE} random bodies, 3 px noise, {label}: PA-MPJPE median "
            f"{np.median(errors):.1f} mm, mean {np.mean(errors):.1f} mm; {seconds:.3f} s each"
        )
    for seed in SEEDS:
        _hard(body, seed, SearchPlan())
    _hard(body, SEEDS[0], SearchPlan(lift=False))


def _hard(body: BodyModel, seed: int, plan: SearchPlan) -> None:
    """Print the measures of the 200 hard bodies of a seed, fitted in batches."""
    people = hard_people(body, HARD_PEOPLE, seed)
    observations = [Observation(keypoints=one.keypoints, focal_px=focal) for one, focal in people]
    start = time.process_time()
    results = fit_people(observations, body=body, plan=plan)
    seconds = (time.process_time() - start) / len(people)
    joints = np.stack([fitted_joints(body, result) for result in results])
    truth = np.stack([person.joints for person, _ in people])
    errors = [aligned_error_mm(mine, true) for mine, true in zip(joints, truth, strict=True)]
    orders = [
        right for mine, true in zip(joints, truth, strict=True) for right in limb_orders(mine, true)
    ]
    _print(
        f"{HARD_PEOPLE} random bodies of seed {seed}, {HARD_NOISE_PX:.0f} px noise, {MISSING:.0%} "
        f"missing, focal length wrong by up to {FOCAL_ERROR:.0%}"
        f"{'' if plan.lift else ', without the pose lifter'}: PA-MPJPE median "
        f"{np.median(errors):.1f} mm, mean {np.mean(errors):.1f} mm; {seconds:.3f} s each in "
        f"batches of {BATCH}"
    )
    _print(
        f"  limb order right in {np.mean(orders):.1%} of {len(orders)} ambiguous limbs (ends more "
        f"than {100 * AMBIGUOUS_M:.0f} cm apart in depth)"
    )
    confidence = np.stack([result.params.confidence[0, 0].numpy() for result in results])
    apart = np.linalg.norm(joints - joints[:, :1] - truth + truth[:, :1], axis=-1)
    cells = [
        f"{said:.2f}: {right:.2f} of {count}"
        for said, right, count in reliability(confidence[:, 1:], apart[:, 1:] < NEAR_M)
    ]
    _print(f"  joints within {100 * NEAR_M:.0f} cm by confidence: {', '.join(cells)}")


def reliability(confidence: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    """Give mean confidence, share that is right and count, for each range of confidence."""
    ranges = np.digitize(confidence, CONFIDENCES)
    return [
        (float(confidence[inside].mean()), float(right[inside].mean()), int(inside.sum()))
        for inside in (ranges == each for each in range(len(CONFIDENCES) + 1))
        if inside.any()
    ]


def hard_people(body: BodyModel, count: int, seed: int = 0) -> list[tuple[Person, float]]:
    """Draw hard people, each with the wrong focal length that the fit is told, pixels."""
    rng = np.random.default_rng(seed)
    return [
        (
            random_person(rng, body, noise_px=HARD_NOISE_PX, missing=MISSING),
            FOCAL_PX * rng.uniform(1.0 - FOCAL_ERROR, 1.0 + FOCAL_ERROR),
        )
        for _ in range(count)
    ]


def limb_orders(found: np.ndarray, true: np.ndarray) -> list[bool]:
    """Tell for each ambiguous limb whether its ends are in the right order; camera frame."""
    depths = [
        (joints[limb.tip, 2] - joints[limb.root, 2])
        for limb in LIMBS.values()
        for joints in (found, true)
    ]
    return [
        bool(mine * theirs > 0.0)
        for mine, theirs in zip(depths[::2], depths[1::2], strict=True)
        if abs(theirs) > AMBIGUOUS_M
    ]


def fitted_joints(body: BodyModel, result: FitResult) -> np.ndarray:
    """Place the 24 joints of a fit, camera frame, metres."""
    params = result.params
    rotations = torch.tensor(exp_map(params.pose[0].double().numpy())).float()
    with torch.no_grad():
        joints = body(rotations, params.betas[0], params.transl[0]).joints[0]
    return joints.double().numpy()


def joint_error_mm(body: BodyModel, result: FitResult, person: Person) -> float:
    """PA-MPJPE of a fit over the 24 joints."""
    return aligned_error_mm(fitted_joints(body, result), person.joints)


def _timed_fit(
    keypoints: Keypoints, body: BodyModel, focal_px: float | None
) -> tuple[float, FitResult]:
    start = time.process_time()
    result = fit_keypoints(keypoints, body=body, focal_px=focal_px)
    return time.process_time() - start, result


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
