"""Score the pose lifter on simulated detections of poses that it was not trained on.

`python -m training.evaluate_lifter` prints PA-MPJPE over the 23 keypoints, seen or not: of the
network alone, and of the fit with the bundled one and without. Nothing is rendered.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray

from posexfer_core.body.model import BodyModel
from posexfer_core.files.weights import add_to_recipe
from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.initialisation import pose_from_params
from posexfer_core.fit.search import SearchPlan
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.observation import Observation
from posexfer_core.pose_networks.lifter import lift_keypoints
from posexfer_core.pose_networks.pose_lifting_network import LIFTED_NAMES
from posexfer_core.pose_networks.weights import LIFTER

from .config import LifterTraining
from .console import print_line, run_command, scoring_parser
from .data.simulated_detections import draw_detections, lifted_skeleton
from .evaluation.unseen_pairs import TEST_SEED
from .make_poses import draw_poses
from .metrics.joints import aligned_error_m
from .sample_random import SampleRandom

IMAGE_PX = 1024


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = scoring_parser(
        __doc__, "training.evaluate_lifter", LIFTER.bundled, count=512, counted="people"
    )
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    scores = evaluate(chosen.weights, chosen.count)
    if chosen.record:
        add_to_recipe(chosen.weights, scores=scores)


def evaluate(weights: Path, count: int) -> dict[str, dict[str, float]]:
    """Print one line for each method; return the numbers, millimetres."""
    network = LIFTER.load(weights)[0]
    people, truth = unseen_people(count)
    focal_px = [float(IMAGE_PX)] * count
    found = {
        "lifted keypoints": lift_keypoints(people, focal_px, network=network)[0],
        "fit without lifting": _fitted(people, SearchPlan(lift=False)),
        "fit": _fitted(people, SearchPlan()),
    }
    scores = {}
    for name, places in found.items():
        errors = 1000.0 * aligned_error_m(torch.from_numpy(places), torch.from_numpy(truth))
        scores[name] = {"pa_mpjpe_mm": float(errors.mean()), "median_mm": float(errors.median())}
        print_line(f"{name:24}mean {errors.mean():6.1f} mm   median {errors.median():6.1f} mm")
    return scores


def unseen_people(count: int) -> tuple[list[Keypoints], ndarray]:
    """Draw people as in training, from another seed, and where their keypoints are; metres."""
    poses, rng = draw_poses(count, TEST_SEED), SampleRandom.seeded(TEST_SEED, range(count))
    others = poses[rng.integers(count).numpy()]
    drawn = draw_detections(poses, others, lifted_skeleton(), LifterTraining(), rng)
    people = [
        Keypoints(
            xy=IMAGE_PX * (rays + 0.5),
            confidence=seen.astype(np.float64),
            names=LIFTED_NAMES,
            image_size=(IMAGE_PX, IMAGE_PX),
        )
        for rays, seen in zip(drawn.rays, drawn.seen, strict=True)
    ]
    return people, drawn.places


def _fitted(people: list[Keypoints], plan: SearchPlan) -> ndarray:
    body, skeleton = BodyModel.bundled(), lifted_skeleton()
    observations = [Observation(keypoints=one, focal_px=float(IMAGE_PX)) for one in people]
    fits = fit_people(observations, body=body, plan=plan)
    return np.concatenate(
        [skeleton.place(pose_from_params(fit.params, body)).points for fit in fits]
    )


if __name__ == "__main__":
    sys.exit(main())
