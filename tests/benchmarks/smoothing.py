"""Fits over frames before and after smoothing: `python -m tests.benchmarks.smoothing [MOTIONS]`.

Motions pass smoothly through random poses (61 frames each); every frame's keypoints have 3 or 5 px
noise of their own and a tenth of them missing. Printed before and after smoothing: PA-MPJPE; the
acceleration error, the mean distance between second differences of the joints, from the pelvis,
and of the true ones, per frame squared; the same of the pelvis; and the share of steps in which a
joint leaps by more than `LEAP_MM` that truly moves by less than half of that. Times are of the
processor.
"""

import sys
import time

import numpy as np
import torch
from numpy import ndarray

from posexfer_core.body.model import BodyModel
from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.video.fit_motion import fit_motion
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.random_motions import Motion, random_motion
from tests.benchmarks.random_people import FOCAL_PX, aligned_error_mm

MOTIONS = 10
NOISES_PX = (3.0, 5.0)
LEAP_MM = 200.0


def main() -> None:
    """Print one line before and one after for each noise."""
    body = BodyModel.bundled()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MOTIONS
    for noise_px in NOISES_PX:
        motions = [
            random_motion(np.random.default_rng(seed), body, noise_px=noise_px)
            for seed in range(count)
        ]
        frames = sum(len(motion.keypoints) for motion in motions)
        for label, fit in (("frame by frame", fit_people), ("smoothed", fit_motion)):
            start = time.process_time()
            fitted = [
                join_frames([one.params for one in fit(_observations(motion), body=body)])
                for motion in motions
            ]
            seconds = (time.process_time() - start) / frames
            scores = np.mean(
                [motion_scores(body, *pair) for pair in zip(fitted, motions, strict=True)], axis=0
            )
            sys.stdout.write(
                f"{count} motions, {noise_px:.0f} px noise, {label}: PA-MPJPE {scores[0]:.1f} mm, "
                f"acceleration error {scores[1]:.1f} mm/frame^2 (pelvis {scores[2]:.1f}), leaps in "
                f"{scores[3]:.1%} of steps; {seconds:.3f} s a frame\n"
            )
            sys.stdout.flush()


def motion_scores(body: BodyModel, params: HumanParams, motion: Motion) -> ndarray:
    """Measure PA-MPJPE, acceleration errors of joints and pelvis, and the share of leaps."""
    found, true = joints_over_frames(body, params), motion.joints
    aligned = np.mean([aligned_error_mm(*pair) for pair in zip(found, true, strict=True)])
    jerk = np.diff(_from_pelvis(found), n=2, axis=0) - np.diff(_from_pelvis(true), n=2, axis=0)
    drift = np.diff(found[:, 0], n=2, axis=0) - np.diff(true[:, 0], n=2, axis=0)
    step, true_step = (
        1000.0 * np.linalg.norm(np.diff(_from_pelvis(one), axis=0), axis=-1)
        for one in (found, true)
    )
    leaps = ((step > LEAP_MM) & (true_step < LEAP_MM / 2.0)).any(-1)
    lengths = [1000.0 * np.linalg.norm(one, axis=-1).mean() for one in (jerk, drift)]
    return np.array([aligned, *lengths, leaps.mean()])


def joints_over_frames(body: BodyModel, params: HumanParams) -> ndarray:
    """Place the joints of the first person in every frame, camera frame, metres."""
    with torch.no_grad():
        posed = body(params.rotations[:, 0], params.betas[:, 0], params.transl[:, 0])
    return posed.joints.double().numpy()


def _observations(motion: Motion) -> list[Observation]:
    return [Observation(keypoints=one, focal_px=FOCAL_PX) for one in motion.keypoints]


def _from_pelvis(joints: ndarray) -> ndarray:
    return joints - joints[:, :1]


if __name__ == "__main__":
    main()
