import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from posexfer_core.body.hands_face import HandsFace
from posexfer_core.body.model import BodyModel
from posexfer_core.body.orbit_camera import OrbitCamera
from posexfer_core.body.pose_document import (
    MOST_CHARACTERS,
    PoseDocument,
    document_of,
    edited,
    standing,
    to_edit,
)
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError
from posexfer_core.geometry.camera import project_perspective
from tests.posexfer_core.body.sample_params import random_params

POSE = [[0.0, 0.0, 0.0] for _ in range(24)]
FRAME = {"pose": POSE, "transl": [0, 0, 0]}
CAMERA = {"yaw": 0, "pitch": 0, "distance": 2, "target": [0, 0, 0], "fov_deg": 40}


def text(**changes: Any) -> str:
    return json.dumps({"version": 1, "frames": [FRAME], **changes})


REFUSED = {
    "no JSON": "{'version': 1}",
    "a list": "[1]",
    "null": "null",
    "no frames": text(frames=[]),
    "too many frames": text(frames=[FRAME] * 257),
    "frames that are no list": text(frames={"0": FRAME}),
    "another version": text(version=2),
    "a version that is no number": text(version=True),
    "another field": text(hat=1),
    "another field of a frame": text(frames=[{**FRAME, "hat": 1}]),
    "no transl": text(frames=[{"pose": POSE}]),
    "23 joints": text(frames=[{**FRAME, "pose": POSE[1:]}]),
    "a joint of 4 numbers": text(frames=[{**FRAME, "pose": [*POSE[1:], [0, 0, 0, 1]]}]),
    "text for a number": text(frames=[{**FRAME, "transl": [0, 0, "0"]}]),
    "a boolean for a number": text(frames=[{**FRAME, "transl": [0, 0, True]}]),
    "NaN": text(frames=[{**FRAME, "transl": [0, 0, math.nan]}]),
    "infinity": text(frames=[{**FRAME, "transl": [0, 0, math.inf]}]),
    "a number that overflows": text().replace("[0, 0, 0]", "[0, 0, 1e999]", 1),
    "a number of 5000 digits": text().replace("[0, 0, 0]", f"[0, 0, {'9' * 5000}]", 1),
    "29 finger joints": text(frames=[{**FRAME, "fingers": [[0, 0, 0]] * 29}]),
    "nine betas": text(betas=[0] * 9),
    "a camera without a target": text(camera={k: CAMERA[k] for k in CAMERA if k != "target"}),
    "a camera on its target": text(camera={**CAMERA, "distance": 0}),
    "a lens of 180 degrees": text(camera={**CAMERA, "fov_deg": 180}),
    "another field of the camera": text(camera={**CAMERA, "roll": 1}),
    "nested without end": "[" * 100_000,
    "a text without end": " " * (MOST_CHARACTERS + 1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_document_is_refused_in_three_lines(name: str):
    with pytest.raises(ParamsError) as error:
        PoseDocument.parse(REFUSED[name])
    found, expected, advice = str(error.value).split("\n")
    assert found.startswith("Found ") and expected.startswith("Expected ") and advice
    assert len(found) < 200


def test_the_smallest_document_is_read():
    document = PoseDocument.parse(text())
    assert document.pose.shape == (1, 24, 3)
    assert document.camera is None and document.fingers is None and document.betas is None


def test_what_is_written_is_read_back():
    camera = OrbitCamera(yaw=0.5, pitch=-0.25, distance=2.0, target=(1.0, 2.0, 3.0), fov_deg=30.0)
    document = PoseDocument(
        pose=torch.randn(2, 24, 3),
        transl=torch.randn(2, 3),
        fingers=torch.randn(2, 30, 3),
        camera=camera,
        betas=torch.randn(10),
    )
    found = PoseDocument.parse(json.dumps(document.as_dict()))
    for name in ("pose", "transl", "fingers", "betas"):
        torch.testing.assert_close(getattr(found, name), getattr(document, name), atol=1e-6, rtol=0)
    assert found.camera == camera


def test_a_camera_at_yaw_0_stands_before_its_target_and_looks_along_minus_z():
    camera = OrbitCamera(yaw=0.0, pitch=0.0, distance=2.0, target=(0.0, 1.0, 0.0), fov_deg=90.0)
    seen = camera.camera_from_world() @ torch.tensor([0.5, 1.5, 0.0, 1.0])
    torch.testing.assert_close(seen[:3], torch.tensor([0.5, -0.5, 2.0]))
    expected = torch.tensor([[50.0, 0.0, 100.0], [0.0, 50.0, 50.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(camera.intrinsics((100, 200)), expected)


def test_a_camera_is_found_again_from_its_matrices():
    camera = OrbitCamera(
        yaw=2.0,
        pitch=-0.7,
        distance=3.0,
        target=(0.1, -0.2, 0.3),
        fov_deg=33.0,
        centre=(0.3, 0.6),
        pixel_aspect=1.2,
    )
    size = (480, 320)
    found = OrbitCamera.of(camera.intrinsics(size), size, camera.camera_from_world(), 3.0)
    for name, value in camera.as_dict().items():
        assert found.as_dict()[name] == pytest.approx(value, abs=1e-5), name


def test_an_input_is_described_where_its_own_camera_sees_it(body: BodyModel):
    params = random_params(frames=2)
    params.intrinsics[:, 0, 2] += 25.0  # off centre
    start = to_edit(params, body)
    described = PoseDocument.parse(json.dumps(document_of(start, body).as_dict()))
    assert described.camera is not None
    again = [edited(described, start), edited(replace(described, camera=None), start)]
    before = BodyView.of(params, body, frame=None)
    for one in again:
        assert one.frames == 2 and torch.equal(one.betas, params.betas)
        view = BodyView.of(one, body, frame=None)
        torch.testing.assert_close(view.joints, before.joints, atol=1e-4, rtol=0)
        pixels = [project_perspective(v.joints, v.intrinsics) for v in (view, before)]
        torch.testing.assert_close(*pixels, atol=0.05, rtol=0)


def test_without_a_camera_in_the_text_the_lens_is_the_inputs_own(body: BodyModel):
    start = to_edit(random_params(), body)
    params = edited(PoseDocument.parse(text()), start)
    assert torch.equal(params.intrinsics, start.intrinsics)
    assert torch.equal(params.camera_from_world, start.camera_from_world)


def test_frames_of_a_text_need_not_be_those_of_the_input(body: BodyModel):
    start = to_edit(random_params(frames=2), body)
    params = edited(PoseDocument.parse(text(frames=[FRAME] * 3)), start)
    assert params.frames == 3
    assert all(torch.equal(betas, start.betas[0]) for betas in params.betas)


def test_fingers_are_taken_and_the_face_is_kept(body: BodyModel):
    params = random_params()
    face = HandsFace(
        fingers=torch.ones(1, 1, 30, 3),
        face=torch.ones(1, 1, 3, 3),
        expression=torch.ones(1, 1, 10),
    )
    start = to_edit(replace(params, hands_face=face), body)
    found = edited(document_of(start, body), start).hands_face
    assert found is not None and bool((found.fingers == 1).all()) and bool((found.face == 1).all())
    rested = edited(PoseDocument.parse(text()), start).hands_face
    assert rested is not None and not rested.fingers.any() and bool((rested.face == 1).all())


def test_the_standing_body_is_seen_whole(body: BodyModel):
    view = BodyView.of(standing((768, 512)), body)
    pixels = project_perspective(view.vertices, view.intrinsics)[0]
    assert pixels.min() > 0 and pixels[:, 0].max() < 512 and pixels[:, 1].max() < 768
    assert view.joints[0, 16, 0] > view.joints[0, 17, 0], "the left shoulder is on the right"
