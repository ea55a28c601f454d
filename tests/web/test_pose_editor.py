"""The page's modules, run by node and compared with Python: `tests/web/*.test.js`."""

import json
import math
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from posexfer_core.body.depth_flip import deepest_twin, depth_twins
from posexfer_core.body.hands_face import HandsFace
from posexfer_core.body.joints import LIMB_CHAINS
from posexfer_core.body.model import BodyModel, pose_joints
from posexfer_core.body.orbit_camera import OrbitCamera
from posexfer_core.body.params import HumanParams
from posexfer_core.body.pose_document import (
    CAMERA,
    MOST_CHARACTERS,
    MOST_FRAMES,
    STANDING,
    VERSION,
    PoseDocument,
    document_of,
    seen_through,
    standing,
)
from posexfer_core.body.view import BodyView
from posexfer_core.export.editor_body import pack_editor_body
from posexfer_core.files.json_fields import LARGEST
from posexfer_core.fit.pose_prior import soft_limits
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from tests.posexfer_core.body.test_pose_document import REFUSED
from tests.web.hands_body import hands_body

NODE = shutil.which("node")
HERE = Path(__file__).parent


def random_camera(generator: torch.Generator) -> OrbitCamera:
    """Look at the body from anywhere, with any lens."""
    yaw, pitch, away, fov, *centre = torch.rand(6, generator=generator).tolist()
    return OrbitCamera(
        yaw=math.tau * yaw,
        pitch=2.4 * (pitch - 0.5),
        distance=3.0 + 3.0 * away,
        target=(0.1, -0.2, 0.05),
        fov_deg=20.0 + 50.0 * fov,
        centre=(centre[0], centre[1]),
        pixel_aspect=1.1,
    )


def before(camera: OrbitCamera, pose: Tensor) -> HumanParams:
    """Pose one person before a camera with an image of 320 x 480 (width x height)."""
    size = (480, 320)
    params = HumanParams.single(
        pose=pose,
        betas=torch.zeros(10),
        transl=torch.zeros(3),
        intrinsics=camera.intrinsics(size),
        image_size=size,
    )
    return seen_through(params, camera)


def frame_of(pose: Tensor, transl: Tensor) -> dict[str, Any]:
    return {"pose": pose.tolist(), "transl": transl.tolist()}


def pose_cases(body: BodyModel, generator: torch.Generator) -> list[dict[str, Any]]:
    """Pose 200 people of random shapes before random cameras."""
    pose = 0.6 * torch.randn(200, 24, 3, generator=generator)
    transl, betas = (torch.randn(200, n, generator=generator) for n in (3, 10))
    rest = body.rest(betas)[1]
    joints = pose_joints(axis_angle_to_matrix(pose), rest)[1] + transl[:, None]
    cases = []
    for number in range(200):
        target = tuple(transl[number].tolist())
        camera = replace(random_camera(generator), target=target)
        matrix = camera.camera_from_world()
        seen = joints[number] @ matrix[:3, :3].T + matrix[:3, 3]
        cases.append(
            {
                "frame": frame_of(pose[number], transl[number]),
                "rest": rest[number].tolist(),
                "camera": camera.as_dict(),
                "size": [320, 480],
                "joints": joints[number].tolist(),
                "pixels": project_perspective(seen, camera.intrinsics((480, 320))).tolist(),
            }
        )
    return cases


def twin_cases(body: BodyModel, generator: torch.Generator) -> list[dict[str, Any]]:
    """Flip limbs of people before turned cameras."""
    cases = []
    for _ in range(8):
        pose = 0.3 * torch.randn(24, 3, generator=generator)
        camera = replace(random_camera(generator), pitch=0.2)
        params = before(camera, pose)
        for limb in LIMB_CHAINS:
            twin = deepest_twin(depth_twins(params, body, limb))
            if twin is not None:
                found = {
                    "pose": twin.params.pose[0, 0].tolist(),
                    "depth_change_m": twin.depth_change_m,
                }
                cases.append(
                    {
                        "frame": frame_of(pose, torch.zeros(3)),
                        "camera": camera.as_dict(),
                        "size": [320, 480],
                        "limb": limb,
                        "twin": found,
                    }
                )
    return cases


def hand_cases(body: BodyModel, generator: torch.Generator) -> tuple[bytes, list[dict[str, Any]]]:
    """Bend the fingers of a body that has some."""
    made, vertices = hands_body(body)
    cases = []
    for _ in range(4):
        pose, fingers = (0.5 * torch.randn(n, 3, generator=generator) for n in (24, 30))
        hands_face = HandsFace(
            fingers=fingers[None, None],
            face=torch.zeros(1, 1, 3, 3),
            expression=torch.zeros(1, 1, 10),
        )
        geometry = made.posed(
            axis_angle_to_matrix(pose)[None], torch.zeros(1, 10), torch.zeros(1, 3), hands_face
        )
        joints = torch.cat([geometry.joints[0], geometry.vertices[0, vertices]])
        frame = {**frame_of(pose, torch.zeros(3)), "fingers": fingers.tolist()}
        cases.append({"frame": frame, "joints": joints.tolist()})
    return pack(made), cases


def lowest_cases(body: BodyModel, generator: torch.Generator) -> list[dict[str, Any]]:
    """Find the lowest vertex of a few poses."""
    cases = []
    for _ in range(4):
        pose = 0.4 * torch.randn(24, 3, generator=generator)
        rotations = axis_angle_to_matrix(pose)[None]
        posed = body(rotations, torch.zeros(1, 10), torch.zeros(1, 3))
        cases.append(
            {
                "frame": frame_of(pose, torch.zeros(3)),
                "lowest": float(posed.vertices[..., 1].min()),
            }
        )
    return cases


def depth_cases(body: BodyModel, generator: torch.Generator) -> list[dict[str, Any]]:
    """Look up how far away the body is, in every fourth pixel of every fourth row; 0 beside it."""
    cases = []
    for _ in range(3):
        pose = 0.3 * torch.randn(24, 3, generator=generator)
        camera = replace(random_camera(generator), centre=(0.45, 0.55))
        seen = BodyView.of(before(camera, pose), body).visibility
        cases.append(
            {
                "frame": frame_of(pose, torch.zeros(3)),
                "camera": camera.as_dict(),
                "size": [320, 480],
                "depth": torch.where(seen.mask, seen.depth, 0.0)[0, ::4, ::4].tolist(),
            }
        )
    return cases


def pack(body: BodyModel) -> bytes:
    return pack_editor_body(
        body, torch.zeros(10), limits=soft_limits(), standing=STANDING, camera=CAMERA.as_dict()
    )


def texts(body: BodyModel, generator: torch.Generator) -> list[str]:
    """Write documents with and without every optional field."""
    start = document_of(standing((768, 512)), body)
    full = PoseDocument(
        pose=torch.randn(3, 24, 3, generator=generator),
        transl=torch.randn(3, 3, generator=generator),
        fingers=torch.randn(3, 30, 3, generator=generator),
        camera=random_camera(generator),
        betas=torch.randn(10, generator=generator),
    )
    bare = PoseDocument(pose=full.pose, transl=full.transl)
    return [json.dumps(one.as_dict()) for one in (start, full, bare)]


@pytest.fixture(scope="module")
def folder(body: BodyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tests of the page read (`cases.js`)."""
    made = tmp_path_factory.mktemp("web")
    generator = torch.Generator().manual_seed(7)
    hands, cases = hand_cases(body, generator)
    (made / "body.bin").write_bytes(pack(body))
    (made / "hands.bin").write_bytes(hands)
    written = {
        "poses": pose_cases(body, generator),
        "hands": cases,
        "twins": twin_cases(body, generator),
        "lowest": lowest_cases(body, generator),
        "depth": depth_cases(body, generator),
        "texts": texts(body, generator),
        "refused": list(REFUSED.values()),
        "bounds": [MOST_FRAMES, MOST_CHARACTERS, VERSION, LARGEST],
    }
    (made / "cases.json").write_text(json.dumps(written))
    return made


@pytest.mark.skipif(
    NODE is None, reason="NOT RUN: node is not installed; the page's modules need it"
)
@pytest.mark.parametrize("script", sorted(HERE.glob("*.test.js")), ids=lambda path: path.name)
def test_the_pages_modules_do_what_python_does(script: Path, folder: Path):
    assert NODE is not None
    environment = {**os.environ, "POSEXFER_WEB_CASES": str(folder)}
    done = subprocess.run(
        [NODE, "--test", str(script)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
