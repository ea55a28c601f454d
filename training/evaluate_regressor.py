"""Score the regressor of bodies from images, on unseen synthetic people.

`python -m training.evaluate_regressor` makes its own people from a seed range that no training
uses, and prints PA-MPJPE over the 24 joints of the network alone and of the keypoint fit, with the
network as initialisation and without. Fits get 17 body and 6 foot keypoints with noise and assume
the focal length.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.conventions import BETA_COUNT, JOINT_COUNT
from posexfer_core.files.images import save_image
from posexfer_core.files.weights import add_to_recipe
from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.initialisation import pose_from_params
from posexfer_core.fit.kinematics import Skeleton
from posexfer_core.fit.search import SearchPlan
from posexfer_core.keypoints.keypoint_placement import RestBody
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17, FEET6
from posexfer_core.keypoints.observation import Observation
from posexfer_core.pose_networks.regressor import Prediction, regress_body
from posexfer_core.pose_networks.regressor_network import BodyRegressor
from posexfer_core.pose_networks.weights import REGRESSOR
from posexfer_core.render.overlay import overlay_body

from .console import print_line, run_command, scoring_parser
from .data.shards import ShardDataset
from .evaluation.unseen_pairs import unseen_pairs
from .metrics.joints import aligned_error_m, pelvis_error_m

NAMES = COCO17 + FEET6
NOISE = 0.004
"""Standard deviation of keypoint noise, as a share of the image's height: 1 px of 256."""
SHOWN = 8
"""People on the sheet."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One unseen person, with the input of each estimator."""

    image: Tensor
    true: HumanParams
    keypoints: Keypoints
    prediction: Prediction


Way = Callable[[list[Case]], list[HumanParams]]


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = scoring_parser(
        __doc__,
        "training.evaluate_regressor",
        REGRESSOR.bundled,
        count=256,
        counted="pairs, of two people each",
    )
    parser.add_argument("--data", type=Path, help="folder for the test pairs; default: temporary")
    parser.add_argument("--fits", type=int, default=64, help="people that are fitted too")
    parser.add_argument("--out", type=Path, help="image of the first people and their bodies")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    network, _ = REGRESSOR.load(chosen.weights)
    with unseen_pairs(chosen.data, chosen.count) as data:
        cases = make_cases(data, chosen.count, network)
    scores = evaluate(cases, chosen.fits)
    if chosen.out:
        save_image(sheet(cases[:SHOWN])[None], chosen.out)
    if chosen.record:
        add_to_recipe(chosen.weights, scores=scores)


def make_cases(data: ShardDataset, count: int, network: BodyRegressor) -> list[Case]:
    """Predict the body of both images of every pair, and give each keypoints with noise."""
    body = BodyModel.bundled()
    rng = np.random.default_rng(0)
    cases = []
    for index in range(min(count, len(data))):
        pair = data.pair(index)
        for image, true in (
            (pair.source_image, pair.source),
            (pair.target_image, pair.target),
        ):
            prediction = regress_body(image, network=network, body=body)
            keypoints = noisy_keypoints(true, body, rng)
            cases.append(Case(image=image, true=true, keypoints=keypoints, prediction=prediction))
    return cases


def noisy_keypoints(true: HumanParams, body: BodyModel, rng: np.random.Generator) -> Keypoints:
    """Project the keypoints of a body; those outside the image are not seen."""
    height, width = true.image_size
    points = Skeleton(RestBody.of(body, NAMES)).place(pose_from_params(true, body)).points[0]
    matrix = true.intrinsics[0].double().numpy()
    xy = points[:, :2] / points[:, 2:] * matrix[[0, 1], [0, 1]] + matrix[:2, 2]
    seen = ((xy > 0.0) & (xy < (width, height))).all(1)
    noisy = xy + NOISE * height * rng.normal(size=xy.shape)
    return Keypoints(
        xy=noisy, confidence=seen.astype(np.float64), names=NAMES, image_size=(height, width)
    )


def evaluate(cases: list[Case], fits: int) -> dict[str, dict[str, float]]:
    """Print one line for each way to a body; return the numbers, millimetres and seconds."""
    narrow = SearchPlan(yaws=0)
    ways: dict[str, tuple[int, Way]] = {
        "mean body, facing the camera": (len(cases), lambda some: [_mean_body(x) for x in some]),
        "regress alone": (len(cases), lambda some: [x.prediction.params for x in some]),
        "regress, the same people": (fits, lambda some: [x.prediction.params for x in some]),
        "fit to keypoints": (fits, lambda some: _fitted([_sight(x) for x in some])),
        "fit, regress as one more start": (fits, lambda some: _fitted(_started(some))),
        "fit, regress as the only start": (fits, lambda some: _fitted(_started(some), narrow)),
    }
    print_line(f"{'':34}people   PA-MPJPE mean  median   MPJPE mean     s each")
    scores = {}
    for name, (count, way) in ways.items():
        scores[name] = score = _score(cases[:count], way)
        print_line(
            f"{name:34}{score['people']:6.0f}{score['pa_mpjpe_mm']:13.1f} mm"
            f"{score['median_mm']:8.1f}{score['mpjpe_mm']:10.1f} mm{score['seconds']:11.3f}"
        )
    return scores


def _sight(case: Case) -> Observation:
    return Observation(keypoints=case.keypoints)


def _started(cases: list[Case]) -> list[Observation]:
    return [replace(_sight(case), start=case.prediction.params) for case in cases]


def _fitted(people: list[Observation], plan: SearchPlan | None = None) -> list[HumanParams]:
    return [fit.params for fit in fit_people(people, plan=plan)]


def _score(cases: list[Case], way: Way) -> dict[str, float]:
    start = time.process_time()
    found = way(cases)
    seconds = (time.process_time() - start) / len(cases)
    places = _joints(found)
    wanted = _joints([case.true for case in cases])
    aligned = 1000.0 * aligned_error_m(places, wanted)
    return {
        "people": float(len(cases)),
        "pa_mpjpe_mm": float(aligned.mean()),
        "median_mm": float(aligned.median()),
        "mpjpe_mm": float(1000.0 * pelvis_error_m(places, wanted).mean()),
        "seconds": seconds,
    }


def _joints(people: list[HumanParams]) -> Tensor:
    body = BodyModel.bundled()
    skeleton = Skeleton(RestBody.of(body, NAMES))
    joints = [skeleton.place(pose_from_params(params, body)).joints for params in people]
    return torch.from_numpy(np.concatenate(joints))


def _mean_body(case: Case) -> HumanParams:
    pose = torch.zeros(JOINT_COUNT, 3)
    pose[0, 0] = torch.pi
    pose[16, 2], pose[17, 2] = -1.1, 1.1
    return HumanParams.single(
        pose=pose,
        betas=torch.zeros(BETA_COUNT),
        transl=torch.tensor([0.0, 0.0, 4.0]),
        intrinsics=case.true.intrinsics[0],
        image_size=case.true.image_size,
    )


def sheet(cases: list[Case]) -> Tensor:
    """Show images above the bodies that are predicted."""
    body = BodyModel.bundled()
    shown = [
        overlay_body(case.image[None], BodyView.of(case.prediction.params, body))[0]
        for case in cases
    ]
    rows = (torch.cat([case.image for case in cases], -1), torch.cat(shown, -1))
    return torch.cat(rows, -2).clamp(-1.0, 1.0)


if __name__ == "__main__":
    sys.exit(main())
