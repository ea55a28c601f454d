"""How good the fit is on recorded poses: `python -m tests.benchmarks.recorded FOLDER`.

FOLDER holds recorded motions in any format that `read_params` knows, in folders of any depth. They
are not ours to pass on. The 3,076 BVH files of Bandai-Namco's data set may be used
non-commercially: `dataset` in the repository github.com/BandaiNamcoResearchInc/
Bandai-Namco-Research-Motiondataset. Nothing of the kind has been used for training.

Frames are drawn at random, evenly from the kinds of motion that the files are named after
(`dataset-1_walk_old_001.bvh`), or else from all files. The bundled body in that pose, of a random
shape, is seen from a random side and a little from above. The fit is given its keypoints, off by
0.8 % of the person's extent, and the true focal length. Errors are PA-MPJPE over the twelve joints
of the limbs.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import ndarray

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.errors import PoseXferError
from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.kinematics import Pose, Skeleton
from posexfer_core.fit.search import SearchPlan
from posexfer_core.formats.read import read_params
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17, FEET6
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.fit import fitted_joints, limb_orders
from tests.benchmarks.photos import LIMB_JOINTS, NOISE
from tests.benchmarks.random_people import FOCAL_PX, IMAGE_PX, aligned_error_mm

PEOPLE = 320
SUFFIXES = (".bvh", ".npz", ".pkl", ".smpl")
NEAR_M, FAR_M = 3.0, 6.0
FROM_ABOVE = np.radians(12.0), np.radians(10.0)
"""Mean and standard deviation of the angle at which the camera looks down."""
HIPS_OUT_M = 0.04
"""How much farther out some data sets mark the hips."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One person in a recorded pose before a camera."""

    pose: Pose
    joints: ndarray
    """(24, 3), metres, camera frame."""


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each set of keypoints."""
    folders = sys.argv[1:] if arguments is None else arguments
    files = sorted(path for folder in folders[:1] for path in Path(folder).rglob("*.*"))
    files = [path for path in files if path.suffix in SUFFIXES]
    if len(folders) != 1 or not files:
        sys.stderr.write(f"{__doc__}\nExpected one folder with motions in it.\n")
        return 2
    body = BodyModel.bundled()
    people = recorded_people(files, body)
    for label, names, out in (
        ("COCO-17 and feet", COCO17 + FEET6, 0.0),
        ("COCO-17 alone", COCO17, 0.0),
        ("limbs and nose, hips 4 cm out", ("nose", *LIMB_JOINTS), HIPS_OUT_M),
        ("limbs, hips 4 cm out", LIMB_JOINTS, HIPS_OUT_M),
    ):
        for plan in (SearchPlan(), SearchPlan(lift=False)):
            _print_scores(label, people, _observations(people, body, names, out), plan, body)
    return 0


def recorded_people(files: list[Path], body: BodyModel, count: int = PEOPLE) -> list[Recorded]:
    """Draw people; files that hold no motion are passed over."""
    rng, kinds = np.random.default_rng(0), defaultdict(list)
    skeleton = Skeleton(RestBody.of(body, LIMB_JOINTS))
    for path in files:
        kinds[path.stem.split("_")[1] if "_" in path.stem else ""].append(path)
    order = [kinds[name] for name in sorted(kinds)]
    people: list[Recorded] = []
    for attempt in range(4 * count):
        if len(people) == count:
            break
        path = order[attempt % len(order)][rng.integers(len(order[attempt % len(order)]))]
        try:
            motion = read_params(path)
        except PoseXferError:
            continue
        frame = int(rng.integers(motion.frames))
        upright = motion.camera_from_world[frame, :3, :3].double().numpy()
        rotations = exp_map(motion.pose[frame, 0].double().numpy())
        people.append(_placed(rotations, upright, skeleton, rng))
    return people


def _placed(
    rotations: ndarray, upright: ndarray, skeleton: Skeleton, rng: np.random.Generator
) -> Recorded:
    """Turn a person any way round, and put it before the camera."""
    yaw = exp_map(np.array([0.0, rng.uniform(-np.pi, np.pi), 0.0]))
    above = exp_map(np.array([rng.normal(*FROM_ABOVE), 0.0, 0.0]))
    rotations[0] = above @ yaw @ upright @ rotations[0]
    betas = rng.normal(size=(1, 10))
    middle = skeleton.place(Pose(rotations[None], betas, np.zeros((1, 3)))).joints[0].mean(0)
    distance = rng.uniform(NEAR_M, FAR_M)
    place = distance * np.array([0.1 * rng.normal(), 0.05 * rng.normal(), 1.0])
    pose = Pose(rotations[None], betas, (place - middle)[None])
    return Recorded(pose=pose, joints=skeleton.place(pose).joints[0])


def _observations(
    people: list[Recorded], body: BodyModel, names: tuple[str, ...], out: float
) -> list[Observation]:
    rng, skeleton = np.random.default_rng(1), Skeleton(RestBody.of(body, names))
    hips, observations = [names.index("l_hip"), names.index("r_hip")], []
    for person in people:
        points = skeleton.place(person.pose).points[0]
        across = points[hips] - points[hips].mean(0)
        points[hips] += out * across / np.linalg.norm(across, axis=1, keepdims=True)
        xy = FOCAL_PX * points[:, :2] / points[:, 2:] + IMAGE_PX / 2.0
        seen = Keypoints(
            xy=xy + NOISE * np.ptp(xy, axis=0).max() * rng.normal(size=xy.shape),
            confidence=np.ones(len(names)),
            names=names,
            image_size=(IMAGE_PX, IMAGE_PX),
        )
        observations.append(Observation(keypoints=seen, focal_px=FOCAL_PX))
    return observations


def _print_scores(
    label: str,
    people: list[Recorded],
    observations: list[Observation],
    plan: SearchPlan,
    body: BodyModel,
) -> None:
    chosen = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
    errors, orders = [], []
    for result, person in zip(fit_people(observations, body=body, plan=plan), people, strict=True):
        found = fitted_joints(body, result)
        errors.append(aligned_error_mm(found[chosen], person.joints[chosen]))
        orders += limb_orders(found, person.joints)
    sys.stdout.write(
        f"{len(people)} recorded poses, {label}{'' if plan.lift else ', without the pose lifter'}: "
        f"PA-MPJPE median {np.median(errors):.1f} mm, mean {np.mean(errors):.1f} mm; limb order "
        f"right in {np.mean(orders):.1%} of {len(orders)}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
