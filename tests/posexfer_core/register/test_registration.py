import numpy as np
import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.retarget import retarget
from posexfer_core.body.view import BodyView
from posexfer_core.errors import MeshError
from posexfer_core.fit.kinematics import Pose
from posexfer_core.geometry.point_clouds import outward_faces, sample_surface
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.register.icp import ICP, Fitted
from posexfer_core.register.initialisation import UPRIGHT
from posexfer_core.register.registration import (
    Residual,
    _check_limits,
    _check_residual,
    register,
    register_file,
)
from posexfer_core.register.search import spread_vertices
from posexfer_core.register.skinned_points import SkinRig
from posexfer_core.register.surface import as_surface

trimesh = pytest.importorskip("trimesh")

ARMS_DOWN = {16: (0.1, -0.2, -1.0), 17: (0.0, 0.3, 0.9), 18: (0.0, -0.7, 0.0), 4: (0.5, 0.0, 0.0)}


def posed_mesh(body: BodyModel, turns: dict, yaw: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Pose the body y up, and cut its faces anew, so that no vertex count gives it away."""
    pose = torch.zeros(24, 3)
    pose[0, 1] = yaw
    for joint, turn in turns.items():
        pose[joint] = torch.tensor(turn)
    betas = torch.tensor([[0.8, 0.3, -0.5, 0, 0, 0, 0, 0, 0, 0]])
    geometry = body(axis_angle_to_matrix(pose)[None], betas, torch.tensor([[0.3, 0.9, -0.2]]))
    simplify = pytest.importorskip("fast_simplification").simplify
    vertices, faces = simplify(geometry.vertices[0].numpy(), body.faces.int().numpy(), 0.6)
    return vertices.astype(np.float64), faces.astype(np.int64)


@pytest.fixture(scope="module")
def mesh(body: BodyModel):
    """A person in a pose between T and A, 3,000 vertices, looking to the side."""
    return posed_mesh(body, ARMS_DOWN, yaw=1.2)


@pytest.fixture(scope="module")
def registration(mesh, body: BodyModel):
    return register(as_surface(*mesh, up="y"), body)


def head_from(rotations: np.ndarray) -> np.ndarray:
    """Return the world rotation of the head."""
    turn = rotations[0]
    for joint in (3, 6, 9, 12, 15):
        turn = turn @ rotations[joint]
    return turn


def degrees_between(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(one.T @ other) - 1.0) / 2.0, -1.0, 1.0))))


@pytest.mark.slow
@pytest.mark.parametrize(("pitch", "thicker_m", "most_deg"), [(-0.65, 0.0, 3.0), (0.0, 0.02, 12.0)])
def test_a_head_that_looks_up_is_not_turned_round_nor_a_level_one_tilted(
    body: BodyModel, pitch, thicker_m, most_deg
):
    turns = {12: (pitch, 0.0, 0.0), 15: (pitch, 0.0, 0.0)}
    vertices, faces = posed_mesh(body, turns)
    normals = trimesh.Trimesh(vertices, faces, process=False).vertex_normals
    found = register(as_surface(vertices + thicker_m * normals, faces, up="y"), body)
    rotations = found.params.rotations[0, 0].double().numpy()
    wanted = axis_angle_to_matrix(torch.tensor([2.0 * pitch, 0.0, 0.0])).double().numpy()
    assert degrees_between(rotations[0], np.eye(3)) < 5.0
    assert degrees_between(head_from(rotations), wanted) < most_deg


def test_the_spread_is_measured_across_the_surface(body: BodyModel):
    vertices, faces = body.v_template.double().numpy(), body.faces.numpy()
    normals = trimesh.Trimesh(vertices, faces, process=False).vertex_normals
    mesh = sample_surface(vertices + 0.02 * normals, faces, 4_000)
    icp = ICP(SkinRig(body, spread_vertices(body, 200)), mesh, scale_sigma=0.0)
    rest = np.tile(np.eye(3), (1, 24, 1, 1))
    lying = Fitted(Pose(rest, np.zeros((1, 10)), np.zeros((1, 3))), np.ones(1))
    assert icp.spread(lying, 200)[0] == pytest.approx(0.02, abs=0.004)


@pytest.mark.slow
def test_a_mesh_of_unknown_topology_is_found_to_three_millimetres(registration):
    assert not registration.known
    assert registration.residual.mean_mm < 3.0
    assert registration.residual.p95_mm < 8.0
    assert "mm on average" in registration.notes[-1]


def test_the_pose_is_found(registration, body: BodyModel):
    rotations = registration.params.rotations[0, 0]
    for joint, turn in ARMS_DOWN.items():
        wanted = axis_angle_to_matrix(torch.tensor(turn))
        cosine = ((wanted.T @ rotations[joint]).trace() - 1) / 2
        assert torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))) < 12.0, joint


def test_the_fitted_pose_gives_the_mesh_back(registration, mesh):
    params = registration.params
    posed = registration.body(params.rotations[0], params.betas[0], params.transl[0])
    np.testing.assert_allclose(posed.vertices[0].numpy(), mesh[0], atol=2e-4)


def test_the_meshs_body_has_the_joints_of_the_fitted_body_for_any_shape(registration, body):
    params = registration.params
    for betas in (params.betas[0], params.betas[0] + 1.0):
        own, fitted = (
            one(params.rotations[0], betas, params.transl[0]).joints
            for one in (registration.body, body)
        )
        np.testing.assert_allclose(own.numpy(), fitted.numpy(), atol=2e-3)


def test_canonical_places_and_parts_are_those_of_the_body(registration, body: BodyModel):
    own = registration.body
    distance, nearest = torch.cdist(own.canonical, body.canonical).min(dim=1)
    assert float(distance.mean()) < 0.03
    same = (own.parts == body.parts[nearest]).float().mean()
    assert same > 0.9
    for name in ("nose", "LHeel", "rear"):
        place = own.canonical[own.keypoint_vertices[name]]
        assert (place - body.canonical[body.keypoint_vertices[name]]).norm() < 0.06


def test_the_camera_looks_at_the_persons_front(registration):
    view = BodyView.of(registration.params, registration.body)
    height, width = view.size
    assert 0.03 < view.visibility.mask.float().mean() < 0.5
    nose = view.vertices[0, view.keypoint_vertices["nose"]]
    assert nose[2] < view.joints[0, 15, 2], "the nose is nearer than the head's joint"
    assert view.joints[0, 15, 1] < view.joints[0, 0, 1], "the head is above the pelvis"
    assert height > width


def test_the_mesh_can_be_posed_as_somebody_else(registration, body: BodyModel):
    straight = HumanParams.single(
        pose=torch.zeros(24, 3).index_fill(0, torch.tensor([0]), 0.0),
        betas=torch.zeros(10),
        transl=torch.tensor([0.0, 0.0, 3.0]),
        intrinsics=torch.tensor([[300.0, 0.0, 88.0], [0.0, 300.0, 128.0], [0.0, 0.0, 1.0]]),
        image_size=(256, 176),
    )
    params = retarget(registration.params, straight, registration.body, framing="target")
    own = BodyView.of(params, registration.body)
    fitted = BodyView.of(params, body)
    tree = torch.cdist(own.vertices[0], fitted.vertices[0]).min(dim=1).values
    assert float(tree.mean()) < 0.012


@pytest.mark.slow
@pytest.mark.parametrize(
    ("axes", "up"),
    [([[1, 0, 0], [0, 0, -1], [0, 1, 0]], "z"), ([[1, 0, 0], [0, -1, 0], [0, 0, -1]], "-y")],
)
def test_the_upper_end_and_the_unit_are_found(body: BodyModel, axes, up):
    vertices, faces = posed_mesh(body, {})
    registration = register(as_surface(100.0 * vertices @ np.array(axes).T, faces), body)
    assert registration.up == up
    assert registration.residual.mean_mm < 3.0
    assert any("cm" in note for note in registration.notes)


@pytest.mark.slow
def test_a_mesh_of_unknown_size_is_scaled_to_a_body(body: BodyModel):
    vertices, faces = posed_mesh(body, ARMS_DOWN)
    registration = register(as_surface(7.0 * vertices, faces, up="y"), body)
    assert registration.residual.mean_mm < 4.0
    joints = BodyView.of(registration.params, registration.body).joints[0]
    assert 0.3 < float((joints[1] - joints[4]).norm()) < 0.5, "a thigh is 0.4 m long"


def test_a_known_topology_is_solved_exactly(body: BodyModel):
    pose = torch.zeros(1, 24, 3)
    for joint, turn in {0: (0.2, 2.5, 0.1), 2: (-1.4, 0, 0), 19: (0.0, 1.6, 0)}.items():
        pose[0, joint] = torch.tensor(turn)
    rotations, betas = axis_angle_to_matrix(pose), torch.linspace(-1, 1, 10)[None]
    vertices = body(rotations, betas, torch.ones(1, 3)).vertices[0]
    found = register(as_surface(vertices.double().numpy(), body.faces.numpy()), body)
    assert found.known
    assert found.residual.mean_mm < 0.5
    torch.testing.assert_close(found.params.rotations[0], rotations, atol=0.02, rtol=0.0)
    torch.testing.assert_close(found.body.canonical, body.canonical)


@pytest.mark.slow
def test_a_chair_and_a_ball_are_no_persons(tmp_path, body: BodyModel):
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.4)
    legs = [trimesh.creation.box([0.05, 0.5, 0.05]) for _ in range(4)]
    for leg, place in zip(legs, [(-1, -1), (-1, 1), (1, -1), (1, 1)], strict=True):
        leg.apply_translation([0.2 * place[0], -0.25, 0.2 * place[1]])
    back = trimesh.creation.box([0.45, 0.5, 0.05])
    back.apply_translation([0, 0.25, -0.2])
    chair = trimesh.util.concatenate([trimesh.creation.box([0.45, 0.05, 0.45]), back, *legs])
    for name, thing in (("ball.ply", ball), ("chair.obj", chair.subdivide().subdivide())):
        thing.export(tmp_path / name)
        with pytest.raises(MeshError, match=f"{name} is not recognised as one person"):
            register_file(tmp_path / name, body)


def test_a_missing_scipy_is_named(body: BodyModel, mesh, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(
        MeshError, match=r"\nExpected scipy.*\nInstall it with `pip install trimesh scipy"
    ):
        register(as_surface(*mesh, up="y"), body)


def test_samples_lie_on_the_surface_and_inside_out_meshes_are_turned():
    ball = trimesh.creation.icosphere(subdivisions=3)
    vertices, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    cloud = sample_surface(vertices, faces, 500)
    np.testing.assert_allclose(np.linalg.norm(cloud.points, axis=1), 1.0, atol=0.01)
    assert (cloud.points * cloud.normals).sum(1).min() > 0.9
    np.testing.assert_allclose(cloud.points.mean(0), 0.0, atol=0.06)
    np.testing.assert_array_equal(outward_faces(vertices, faces[:, ::-1]), faces)
    np.testing.assert_array_equal(outward_faces(vertices, faces), faces)


def test_joints_beyond_human_limits_are_refused():
    pose = np.tile(np.eye(3), (1, 24, 1, 1))
    _check_limits(pose, "a.glb")
    pose[0, 4] = axis_angle_to_matrix(torch.tensor([-1.2, 0.0, 0.0])).numpy()  # a knee, forwards
    knee = (
        r"a\.glb is not recognised as one person: l_knee .*\nExpected one whole person.*\nCut away"
    )
    with pytest.raises(MeshError, match=knee):
        _check_limits(pose, "a.glb")


def test_a_body_far_from_the_mesh_is_refused():
    _check_residual(Residual(mean_mm=5.0, p95_mm=20.0), "a.glb")
    with pytest.raises(MeshError, match=r"is not recognised as one person: .*\nExpected .*\nCut"):
        _check_residual(Residual(mean_mm=500.0, p95_mm=900.0), "a.glb")


@pytest.mark.slow
@pytest.mark.parametrize("up", ["x", "-z"])
def test_a_glb_that_stands_along_another_axis_is_upright(tmp_path, body: BodyModel, up):
    trimesh = pytest.importorskip("trimesh")
    vertices, faces = posed_mesh(body, {})
    trimesh.Trimesh(vertices @ UPRIGHT[up].T, faces, process=False).export(tmp_path / "a.glb")
    found = register_file(tmp_path / "a.glb", body)
    assert found.up == up and found.residual.mean_mm < 3.0
    assert any("--mesh-up y" in note for note in found.notes)
