import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.geometry.normals import vertex_normals
from training.synthetic.clothed_pairs import clothe, pose_clothed
from training.synthetic.limbs import rotation
from training.synthetic.obstacles import Obstacles
from training.synthetic.pairs import bone_transforms
from training.synthetic.tube_poses import pose_tube
from training.synthetic.tubes import Cut, fit_tube
from training.synthetic.wardrobe import draw_clothed_person

DOWN = np.array([0.0, -1.0, 0.0])
REST = np.zeros((24, 3), np.float32)


def bent(**degrees):
    """A pose: joint → rotation about x, degrees; positive bends a knee, negative lifts a thigh."""
    pose = REST.copy()
    for name, angle in degrees.items():
        pose[JOINT_INDEX[name], 0] = np.radians(angle)
    return pose


SITTING = bent(l_hip=-80, r_hip=-80, l_knee=80, r_knee=80)
STRIDE = bent(l_hip=-45, r_hip=30, l_knee=15, r_knee=20)


@pytest.fixture(scope="module")
def people(body):
    drawn = [draw_clothed_person(np.random.default_rng(seed)) for seed in range(16)]
    people = [clothe(person, body) for person in drawn]
    assert {tube.cut.label for person in people for tube in person.tubes} > {
        "skirt",
        "dress",
        "top",
    }
    return people


def skirt(body, betas=None, **changes):
    vertices, joints = body.rest(torch.zeros(1, 10) if betas is None else betas)
    cut = Cut(**{"label": "skirt", "top_m": -0.15, "hem_m": -0.9, "paint": None} | changes)
    mean = (body.joint_regressor @ body.v_template).numpy()
    weights = body.skin_weights.numpy()
    return fit_tube(cut, vertices[0].numpy(), joints[0].numpy(), mean, weights)


def identity():
    return np.tile(np.eye(4)[:3], (24, 1, 1))


def test_at_rest_a_tube_is_where_it_was_fitted(body):
    """Within 1 cm: what is loose sinks a little, for shins do not point straight down."""
    tube = skirt(body)
    np.testing.assert_allclose(pose_tube(tube, identity(), DOWN), tube.rest, atol=0.01)


def test_a_turn_of_the_root_turns_the_tube(body):
    tube, turn = skirt(body), rotation((30.0, -70.0, 20.0))
    turned = np.einsum("ij,ajk->aik", turn, identity())
    expected = pose_tube(tube, identity(), DOWN) @ turn.T
    np.testing.assert_allclose(pose_tube(tube, turned, turn @ DOWN), expected, atol=1e-6)


def test_tubes_fit_every_shape(body):
    betas = torch.zeros(1, 10)
    betas[0, 0] = 2.0
    slim, other = skirt(body), skirt(body, betas)
    assert np.abs(other.rest - slim.rest).max() > 0.01
    assert np.array_equal(other.places[..., 1], slim.places[..., 1])


def test_a_flare_widens_the_hem_and_a_gap_opens_the_front(body):
    narrow, wide = skirt(body, flare=0.0), skirt(body, flare=0.3)
    grown = (np.linalg.norm(wide.rest - narrow.rest, axis=-1)[-1]).mean()
    assert grown == pytest.approx(0.3 * 0.7, abs=0.02)  # 0.7 m below the hips
    coat = skirt(body, gap_rad=0.4)
    ends = coat.rest[:, [0, -1]]
    assert (ends[..., 2] > 0.05).all()
    assert (ends[:, 0, 0] > 0.01).all()
    assert (ends[:, 1, 0] < -0.01).all()


@pytest.mark.parametrize("pose", [REST, SITTING, STRIDE], ids=["rest", "sitting", "stride"])
def test_cloth_stays_outside_the_body(people, body, pose):
    """At most 4 mm inside for one point in a hundred; none at rest but for the top edge."""
    for person in people:
        vertices, sheets = pose_clothed(person, body, pose, DOWN)
        normals = vertex_normals(vertices[None], body.faces)[0].numpy()
        trunk = Obstacles(vertices.numpy()[person.trunk], normals[person.trunk])
        for tube, sheet in zip(person.tubes, sheets, strict=False):
            assert sheet.label == tube.cut.label
            gap, _ = trunk.gap(sheet.vertices[1:].reshape(-1, 3))
            assert np.mean(gap < -0.004) <= (0.0 if pose is REST else 0.01)


def test_a_skirt_encloses_both_legs_of_a_stride(people, body):
    """Points of the thighs lie inside the cloth: behind its nearest point, seen from outside."""
    for person in people:
        vertices, sheets = pose_clothed(person, body, STRIDE, DOWN)
        places = person.dressed.places.numpy()
        for tube, sheet in zip(person.tubes, sheets, strict=False):
            if tube.cut.gap_rad or tube.cut.hem_m > -0.6:
                continue
            thighs = (places[:, 1] < -0.42) & (places[:, 1] > tube.cut.hem_m + 0.12)
            grid = sheet.vertices
            across, down = np.gradient(grid, axis=1), np.gradient(grid, axis=0)
            outward = np.cross(down, across).reshape(-1, 3)
            outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-9
            gap, _ = Obstacles(grid.reshape(-1, 3), outward).gap(vertices.numpy()[thighs])
            assert np.mean(gap[np.isfinite(gap)] < 0.015) > 0.95


def test_the_hem_follows_bent_knees(body):
    tube = skirt(body, flare=0.1)
    rest = pose_tube(tube, identity(), DOWN)
    person = clothe(draw_clothed_person(np.random.default_rng(0)), body)
    sitting = bone_transforms(person.dressed, SITTING)[0].double().numpy()
    hem = pose_tube(tube, sitting, DOWN)[-1].mean(0)
    knees = sitting[[4, 5], :, :3] @ person.dressed.build.joints[[4, 5]][..., None]
    knees = (knees[..., 0] + sitting[[4, 5], :, 3]).mean(0)
    assert hem[2] - rest[-1].mean(0)[2] > 0.25
    assert np.linalg.norm(hem - knees) < 0.35
