"""How good and how fast the fit is: `python -m tests.benchmarks.fit` (one core: OMP_NUM_THREADS=1).

Prints the reprojection error on the real photo, when `../shared/data` is there, and PA-MPJPE over
random bodies of which the truth is known. Times are of the processor, in seconds.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

from posexfer_core.body.estimate.fit import FitResult, fit_keypoints
from posexfer_core.body.estimate.keypoints import Keypoints, load_keypoints
from posexfer_core.body.estimate.layouts import COCO17, FEET6
from posexfer_core.body.estimate.so3 import exp_map
from posexfer_core.body.model import BodyModel
from tests.benchmarks.random_people import FOCAL_PX, Person, aligned_error_mm, random_person

PHOTOS = Path(__file__).parents[3] / "shared" / "data"
PEOPLE = 50


def main() -> None:
    """Print one line for each measure."""
    body = BodyModel.bundled()
    for name in ("skier_coco_wholebody.json", "skier_pose_keypoint.json"):
        if (PHOTOS / name).exists():
            seconds, result = _timed_fit(load_keypoints(PHOTOS / name), body, None)
            _print(f"{name}: {result.reprojection_px:.2f} px, {seconds:.3f} s")
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


def joint_error_mm(body: BodyModel, result: FitResult, person: Person) -> float:
    """PA-MPJPE of a fit over the 24 joints."""
    params = result.params
    rotations = torch.tensor(exp_map(params.pose[0].double().numpy())).float()
    with torch.no_grad():
        joints = body(rotations, params.betas[0], params.transl[0]).joints[0]
    return aligned_error_mm(joints.double().numpy(), person.joints)


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
