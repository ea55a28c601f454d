"""Anny is not installed by default: the bundled body, bent and renamed, plays its part."""

import sys
import types
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from posexfer_core.body.anny import BONES, PHENOTYPES, anny_body
from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.model import BodyModel
from posexfer_core.errors import BodyFileError
from posexfer_core.geometry.rotations import axis_angle_to_matrix

LOWERED = {
    "l_shoulder": -0.8,
    "r_shoulder": 0.8,
    "l_hip": 0.1,
    "r_hip": -0.1,
    "l_ankle": -0.1,
    "r_ankle": 0.1,
}
"""Turns about z, radians, from the T-pose to Anny's rest: arms down, legs apart, feet flat."""
TALLER = 0.08


class PretendedAnny:
    """The bundled body at Anny's rest, z up, with one bone for each joint."""

    def __init__(self) -> None:
        self.body = BodyModel.bundled()
        self.faces = self.body.faces
        self.dense_vertex_bone_weights = self.body.skin_weights
        sides = {"l_": ".L", "r_": ".R"}
        self.bone_labels = [
            BONES[name.removeprefix("l_").removeprefix("r_")][0] + sides.get(name[:2], "")
            for name in JOINT_NAMES
        ]

    def to(self, dtype: torch.dtype) -> "PretendedAnny":
        assert dtype == torch.float32
        return self

    def __call__(
        self, *, pose_parameters: Tensor, phenotype_kwargs: Mapping[str, float]
    ) -> dict[str, Tensor]:
        assert pose_parameters.shape == (1, 24, 4, 4)
        assert set(phenotype_kwargs) == set(PHENOTYPES)
        rotations = torch.eye(3).repeat(1, 24, 1, 1)
        for name, angle in LOWERED.items():
            turn = axis_angle_to_matrix(torch.tensor([0.0, 0.0, angle]))
            rotations[0, JOINT_NAMES.index(name)] = turn
        posed = self.body(rotations, torch.zeros(1, 10), torch.zeros(1, 3))
        size = 1.0 + TALLER * (phenotype_kwargs["height"] - 0.5) / 0.1
        return {
            name: size * torch.stack([one[..., 0], -one[..., 2], one[..., 1]], dim=-1)
            for name, one in (("rest_vertices", posed.vertices), ("rest_bone_heads", posed.joints))
        }


@pytest.fixture
def pretended_anny(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("anny")
    module.__dict__["Anny"] = PretendedAnny
    monkeypatch.setitem(sys.modules, "anny", module)


@pytest.mark.usefixtures("pretended_anny")
def test_annys_rest_becomes_a_t_pose(body: BodyModel):
    made = anny_body()
    assert made.beta_space == "anny"
    _, joints = made.rest(torch.zeros(1, 10))
    _, wanted = body.rest(torch.zeros(1, 10))
    torch.testing.assert_close(joints, wanted - wanted[:, :1], atol=3e-3, rtol=0)
    torch.testing.assert_close(made.joint_regressor.sum(dim=1), torch.ones(24), atol=0.02, rtol=0)
    torch.testing.assert_close(made.skin_weights, body.skin_weights)
    moved = (made.v_template - (body.v_template - wanted[0, 0])).norm(dim=1)
    assert moved.mean() < 0.01  # skinning there and back does not give the very same arms
    assert made.keypoint_vertices.keys() == body.keypoint_vertices.keys()


@pytest.mark.usefixtures("pretended_anny")
def test_betas_turn_annys_own_numbers():
    made = anny_body()
    height = PHENOTYPES.index("height")
    still = [at for at in range(10) if at != height]
    assert made.shapedirs[..., still].abs().max() < 1e-6
    torch.testing.assert_close(
        made.shapedirs[..., height], TALLER * made.v_template, atol=1e-5, rtol=0
    )
    vertices, joints = made.rest(torch.eye(10)[[height]])
    rest, places = made.rest(torch.zeros(1, 10))
    torch.testing.assert_close(vertices, (1 + TALLER) * rest, atol=1e-4, rtol=0)
    torch.testing.assert_close(joints, (1 + TALLER) * places, atol=3e-3, rtol=0)


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "anny", None)
    with pytest.raises(BodyFileError, match="pip install anny"):
        anny_body()


def test_anny_itself_stands_as_a_person_does():
    pytest.importorskip("anny")
    made = anny_body()
    vertices, joints = made.rest(torch.zeros(1, 10))
    height = float(vertices[0, :, 1].max() - vertices[0, :, 1].min())
    assert 1.5 < height < 2.0
    left_wrist, right_wrist = (
        joints[0, JOINT_NAMES.index(name)] for name in ("l_wrist", "r_wrist")
    )
    assert left_wrist[0] > 0.5 and right_wrist[0] < -0.5
    assert abs(float(left_wrist[1] - joints[0, JOINT_NAMES.index("l_shoulder"), 1])) < 0.05
    assert vertices[0, made.keypoint_vertices["nose"], 2] > joints[0, JOINT_NAMES.index("head"), 2]
