from dataclasses import replace

import numpy as np
import pytest

from posexfer_core.fit.fit import fit_people
from posexfer_core.fit.hidden_face import FACE, HEAD, HiddenFace
from posexfer_core.fit.initialisation import UPRIGHT
from posexfer_core.geometry.so3 import exp_map
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import COCO17
from posexfer_core.keypoints.observation import Observation
from tests.benchmarks.random_people import FOCAL_PX, random_person

SIZE = (1024, 1024)


def face(**confidence):
    """Make a head in the middle of the image, and some body under it."""
    names = (*FACE, "l_shoulder", "r_shoulder", "l_hip", "r_hip")
    body = [[600.0, 600.0], [400.0, 600.0], [580.0, 900.0], [420.0, 900.0]]
    return Keypoints(
        xy=np.array([[512.0, 512.0]] * 5 + body),
        confidence=np.array([confidence.get(name, 0.9) for name in names]),
        names=names,
        image_size=SIZE,
    )


def hidden_of(people, body):
    count = len(people)
    return HiddenFace.of(people, body, np.full(count, 1000.0), np.full((count, 2), 512.0))


def told_by(people, body):
    hidden = hidden_of(people, body)
    assert hidden is not None
    return hidden


def turned(yaw, count=1):
    world = np.broadcast_to(UPRIGHT, (count, 24, 3, 3)).copy()
    world[:, HEAD] = UPRIGHT @ exp_map(np.array([0.0, yaw, 0.0]))
    return world


def test_faces_that_are_found_or_missed_as_a_whole_say_nothing(body):
    missing = dict.fromkeys(FACE, 0.0)
    assert hidden_of([face(), face(nose=0.2), face(**missing)], body) is None


def test_missed_points_want_to_look_away(body):
    behind = told_by([face(nose=0.0, l_eye=0.0, r_eye=0.0)], body)
    front, profile, back = (
        float(behind.energy(turned(yaw))[0]) for yaw in (0.0, np.pi / 2.0, np.pi)
    )
    assert front > profile > back == 0.0


def test_a_missed_ear_is_on_the_far_side(body):
    """The person's left is on the right of the image; a head that turns left hides its right."""
    hidden = told_by([face(l_ear=0.0), face(r_ear=0.0)], body)
    for yaw in (-1.0, 1.0):
        left, right = hidden.energy(turned(yaw, 2))
        assert min(left, right) == 0.0
        shown_left = (turned(yaw)[0, HEAD] @ [1.0, 0.0, 0.0])[2] < 0.0
        assert (left > right) == shown_left


def test_one_misfit_costs_no_more_than_an_outlier(body):
    hidden = told_by([face(nose=0.0)], body)
    assert 1.0 < float(hidden.energy(turned(0.0))[0]) < 4.0


@pytest.mark.parametrize("noise_px", [3.0, 5.0])
def test_heads_seen_from_behind_are_turned_no_worse(body, noise_px):
    """Points that the head hides from the camera are missed, as by a detector."""
    rng = np.random.default_rng(1)
    people, blind = [], []
    for _ in range(32):
        person = random_person(rng, body, noise_px=noise_px, names=COCO17)
        keypoints = person.keypoints
        gone = hidden_names(person, body)
        confidence = np.array([0.0 if name in gone else 1.0 for name in keypoints.names])
        people.append((person, replace(keypoints, confidence=confidence)))
        blind.append(keypoints.only([name for name in keypoints.names if name not in gone]))
    errors = []
    for keypoints in ([one for _, one in people], blind):
        fits = fit_people(
            [Observation(keypoints=one, focal_px=FOCAL_PX) for one in keypoints], body=body
        )
        errors.append(
            [
                head_error(fit.params.pose[0, 0].double().numpy(), person)
                for fit, (person, _) in zip(fits, people, strict=True)
            ]
        )
    told, untold = (np.sort(each) for each in errors)
    assert told[-6:].mean() < untold[-6:].mean()


def world_of(rotations):
    chain = (0, 3, 6, 9, 12, 15)
    world = np.eye(3)
    for joint in chain:
        world = world @ rotations[joint]
    return world


def hidden_names(person, body):
    world = np.broadcast_to(world_of(person.rotations), (1, 24, 3, 3))
    ahead = person.joints[HEAD] / np.linalg.norm(person.joints[HEAD])
    gone = []
    for name in FACE:
        one = told_by([face(**{name: 0.0})], body)
        normal = one.normals[0].sum(0)
        if world[0, HEAD] @ normal @ ahead > 0.1:
            gone.append(name)
    return gone


def head_error(pose, person):
    apart = world_of(exp_map(pose)).T @ world_of(person.rotations)
    return np.degrees(np.arccos(np.clip((np.trace(apart) - 1.0) / 2.0, -1.0, 1.0)))
