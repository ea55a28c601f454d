"""How good the fit is on real photos with known 3D: `python -m tests.benchmarks.photos FOLDER`.

FOLDER holds the few frames of Human3.6M and MPI-INF-3DHP that MMPose tests itself with: the folder
`tests/data` of its repository, github.com/open-mmlab/mmpose. They are not ours to pass on, for both
sets are for research alone. Eight frames are few, three of them of people on the floor, so that one
limb that is bent the wrong way in depth moves the mean by several millimetres.

The fit is given the annotated places of the twelve joints of the limbs and of the nose, which the
two sets mark with hips about 25 cm apart, and the focal length. Errors are PA-MPJPE over the
twelve; the second number is with keypoints off by 0.8 % of the person's extent, averaged over five
draws.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy import ndarray
from PIL import Image

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.files.containers import read_container
from posexfer_core.fit.fit import FitResult, fit_people
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.fit import fitted_joints
from tests.benchmarks.random_people import aligned_error_mm

LIMB_JOINTS = tuple(
    f"{side}_{part}"
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in "lr"
)
NOISE = 0.008
DRAWS = 5
H36M = {"l_hip": 4, "r_hip": 1, "l_knee": 5, "r_knee": 2, "l_ankle": 6, "r_ankle": 3}
H36M |= {"l_shoulder": 11, "r_shoulder": 14, "l_elbow": 12, "r_elbow": 15}
H36M |= {"l_wrist": 13, "r_wrist": 16, "nose": 9}
"""Where Human3.6M's 17 joints are in our names."""
MPI = {"l_hip": 11, "r_hip": 8, "l_knee": 12, "r_knee": 9, "l_ankle": 13, "r_ankle": 10}
MPI |= {"l_shoulder": 5, "r_shoulder": 2, "l_elbow": 6, "r_elbow": 3}
MPI |= {"l_wrist": 7, "r_wrist": 4, "nose": 16}
"""Where MPI-INF-3DHP's 17 joints are."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One annotated photo."""

    name: str
    keypoints: Keypoints
    focal_px: float
    joints: ndarray
    """(12, 3), of `LIMB_JOINTS`, camera frame, metres."""


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each frame, then the means."""
    folders = sys.argv[1:] if arguments is None else arguments
    if len(folders) != 1 or not Path(folders[0], "h36m").is_dir():
        sys.stderr.write(f"{__doc__}\nExpected one folder, with h36m and mpi_inf_3dhp in it.\n")
        return 2
    folder = Path(folders[0])
    frames = human36m_frames(folder / "h36m") + mpi_frames(folder / "mpi_inf_3dhp")
    body = BodyModel.bundled()
    for nose in (True, False):
        clean = _errors(frames, body, nose)
        noisy = np.mean([_errors(frames, body, nose, seed) for seed in range(DRAWS)], axis=0)
        sys.stdout.write(f"joints of the limbs{' and nose' if nose else ''}, mm; with noise\n")
        for frame, error, spoilt in zip(frames, clean, noisy, strict=True):
            sys.stdout.write(f"  {frame.name:44}{error:6.1f}{spoilt:8.1f}\n")
        for name, rows in (("Human3.6M", slice(0, 4)), ("MPI-INF-3DHP", slice(4, 8))):
            means = clean[rows].mean(), noisy[rows].mean()
            sys.stdout.write(f"  {'mean of ' + name:44}{means[0]:6.1f}{means[1]:8.1f}\n")
    return 0


def human36m_frames(folder: Path) -> list[Frame]:
    """Read four frames; joints are in the frame of the camera."""
    rows = read_container(folder / "test_h36m_body3d.npz")
    cameras = read_container(folder / "cameras.pkl")
    frames = []
    for index, name in enumerate(map(str, rows["imgname"])):
        camera = cameras[(name.split("/")[0], name.split(".")[1].split("/")[0])]
        frames.append(_frame(folder / name, rows, index, camera, H36M))
    return frames


def mpi_frames(folder: Path) -> list[Frame]:
    """Read two frames of its training and two of its test set."""
    frames = []
    for part in ("train", "test"):
        rows = read_container(folder / f"test_3dhp_{part}.npz")
        cameras = read_container(folder / f"cameras_{part}.pkl")
        for index, name in enumerate(map(str, rows["imgname"])):
            camera = cameras[name.rpartition("_")[0]]
            frames.append(_frame(folder / name, rows, index, camera, MPI))
    return frames


def _frame(
    path: Path, rows: dict[str, ndarray], index: int, camera: dict, places: dict[str, int]
) -> Frame:
    with Image.open(path) as image:
        width, height = image.size
    names = (*LIMB_JOINTS, "nose")
    order = [places[name] for name in names]
    return Frame(
        name=path.stem,
        keypoints=Keypoints(
            xy=np.asarray(rows["part"][index, order, :2], float),
            confidence=np.ones(len(names)),
            names=names,
            image_size=(height, width),
        ),
        focal_px=float(np.mean(camera["f"])),
        joints=np.asarray(rows["S"][index, order[:-1], :3], float),
    )


def _errors(frames: list[Frame], body: BodyModel, nose: bool, seed: int | None = None) -> ndarray:
    rng, observations = np.random.default_rng(seed), []
    for frame in frames:
        seen = frame.keypoints if nose else frame.keypoints.only(LIMB_JOINTS)
        spread = 0.0 if seed is None else NOISE * float(np.ptp(seen.xy, axis=0).max())
        moved = replace(seen, xy=seen.xy + spread * rng.normal(size=seen.xy.shape))
        observations.append(Observation(keypoints=moved, focal_px=frame.focal_px))
    results = fit_people(observations, body=body)
    return np.array(
        [_error(result, frame, body) for result, frame in zip(results, frames, strict=True)]
    )


def _error(result: FitResult, frame: Frame, body: BodyModel) -> float:
    chosen = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
    return aligned_error_mm(fitted_joints(body, result)[chosen], frame.joints)


if __name__ == "__main__":
    sys.exit(main())
