from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import mirrored_name
from posexfer_core.fit.fit import fit_keypoints
from posexfer_core.fit.search import SearchPlan
from posexfer_core.keypoints.layouts import COCO17, FEET6
from posexfer_core.pose_networks.lifter import lift_keypoints
from posexfer_core.pose_networks.pose_lifting_network import LIFTED_NAMES
from posexfer_core.pose_networks.weights import LIFTER
from tests.benchmarks.fit import joint_error_mm
from tests.benchmarks.random_people import FOCAL_PX, aligned_error_mm, random_person


def test_random_people_are_lifted_to_within_10_cm(body):
    rng = np.random.default_rng(20)
    people = [random_person(rng, body) for _ in range(30)]
    places, spreads = lift_keypoints([one.keypoints for one in people], [FOCAL_PX] * 30)
    wrist, shoulder = LIFTED_NAMES.index("l_wrist"), LIFTED_NAMES.index("l_shoulder")
    errors = []
    for one, found in zip(people, places, strict=True):
        hips = (found[LIFTED_NAMES.index("l_hip")], found[LIFTED_NAMES.index("r_hip")])
        chain = np.array(
            [*hips, found[shoulder], found[LIFTED_NAMES.index("l_elbow")], found[wrist]]
        )
        errors.append(aligned_error_mm(chain, one.joints[[1, 2, 16, 18, 20]]))
    assert np.median(errors) < 100.0
    assert np.median(spreads[:, wrist]) > np.median(spreads[:, shoulder]), "wrists are less sure"


def test_the_order_of_keypoints_and_others_among_them_change_nothing(body):
    person = random_person(np.random.default_rng(21), body).keypoints
    turned = person.only(person.names[::-1])
    for mine, theirs in zip(
        lift_keypoints([person], [FOCAL_PX]), lift_keypoints([turned], [FOCAL_PX]), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_mirrored_keypoints_are_lifted_to_the_mirror_image(body):
    person = random_person(np.random.default_rng(23), body, names=LIFTED_NAMES).keypoints
    width = person.image_size[1]
    mirrored = replace(
        person,
        xy=np.array([width, 0.0]) + person.xy * (-1.0, 1.0),
        names=tuple(map(mirrored_name, person.names)),
    )
    (xyz, scales), (others, other_scales) = (
        lift_keypoints([one], [FOCAL_PX]) for one in (person, mirrored)
    )
    for name in ("nose", "l_wrist", "r_wrist", "l_knee"):
        here, there = LIFTED_NAMES.index(name), mirrored.names.index(name)
        np.testing.assert_allclose(xyz[0, there], others[0, here] * (-1.0, 1.0, 1.0), atol=1e-4)
        np.testing.assert_allclose(scales[0, there], other_scales[0, here], atol=1e-4)


@pytest.mark.slow
def test_the_fit_is_better_for_it(body):
    rng = np.random.default_rng(22)
    people = [
        random_person(rng, body, names=COCO17 + FEET6, noise_px=5.0, missing=0.2) for _ in range(24)
    ]
    with_it, without = (
        [
            joint_error_mm(body, fit_keypoints(one.keypoints, focal_px=FOCAL_PX, plan=plan), one)
            for one in people
        ]
        for plan in (SearchPlan(), SearchPlan(lift=False))
    )
    assert np.mean(with_it) < np.mean(without)


def test_the_bundled_weights_are_small_and_tell_how_they_were_made():
    network, recipe = LIFTER.load()
    assert LIFTER.bundled.stat().st_size < 600_000
    assert recipe["poses"] == 65536 and recipe["points"] == list(LIFTED_NAMES)
    lifted, bare, fit = (
        recipe["scores"][way]["pa_mpjpe_mm"]
        for way in ("lifted keypoints", "fit without lifting", "fit")
    )
    assert lifted < 0.9 * bare and fit < 0.86 * bare
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())
