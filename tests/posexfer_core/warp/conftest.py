"""People that the tests of the warp share."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView

SIZE = (192, 128)


@pytest.fixture
def posed(body) -> Callable[..., BodyView]:
    """An upright body before the camera, in images of 192x128 px; rotations by joint may be set."""

    def make(*, yaw: float = 0.0, size: tuple[int, int] = SIZE, **turns) -> BodyView:
        from posexfer_core.body.joints import JOINT_INDEX

        half = torch.tensor(yaw / 2)
        # a half turn about x looks at the camera; the yaw about the body's own axis comes first
        axis = torch.stack([half.cos(), torch.tensor(0.0), half.sin()])
        pose = torch.zeros(24, 3)
        pose[0] = math.pi * axis
        for joint, turn in turns.items():
            pose[JOINT_INDEX[joint]] = torch.tensor(turn)
        scale = size[0] / 128
        intrinsics = torch.tensor(
            [
                [180.0 * scale, 0.0, size[1] / 2],
                [0.0, 180.0 * scale, size[0] / 2],
                [0.0, 0.0, 1.0],
            ]
        )
        params = HumanParams.single(
            pose=pose,
            betas=torch.zeros(10),
            transl=torch.tensor([0.0, 0.1, 3.2]),
            intrinsics=intrinsics,
            image_size=size,
        )
        return BodyView.of(params, body)

    return make


@pytest.fixture
def thinned() -> Callable[[BodyView, torch.Tensor], BodyView]:
    """Some vertices of a body, without faces."""

    def make(view: BodyView, kept: torch.Tensor) -> BodyView:
        return replace(
            view,
            vertices=view.vertices[:, kept],
            canonical=view.canonical[kept],
            parts=view.parts[kept],
            faces=view.faces[:0],
        )

    return make
