import numpy as np
import pytest

from posexfer_core.geometry.normals import vertex_normals
from training.synthetic.clothed_pairs import HEAD, clothe, pose_clothed
from training.synthetic.hanging_hair import STEP_M, TILTS_DEG, draw_hairstyle
from training.synthetic.obstacles import Obstacles
from training.synthetic.wardrobe import draw_clothed_person

DOWN = np.array([0.0, -1.0, 0.0])
REST = np.zeros((24, 3), np.float32)


@pytest.fixture(scope="module")
def people(body):
    drawn = [draw_clothed_person(np.random.default_rng([7, seed])) for seed in range(12)]
    people = [clothe(person, body) for person in drawn if person.hair is not None]
    styles = [person.clothed.hair for person in people]
    assert {bool(style.span_rad) for style in styles if style is not None} == {True, False}
    return people


def hair(person, body, pose=REST, gravity=DOWN):
    vertices, sheets = pose_clothed(person, body, pose, gravity)
    return vertices, [sheet.vertices for sheet in sheets if sheet.label == "hair"]


def test_strands_keep_their_length_and_hang(people, body):
    for person in people:
        for grid in hair(person, body)[1]:
            falling = grid[len(TILTS_DEG) :] if person.clothed.hair.span_rad else grid[2:]
            steps = np.linalg.norm(np.diff(falling.mean(1), axis=0), axis=-1)
            assert steps.max() < 1.1 * STEP_M
            assert falling[-1, :, 1].mean() < falling[0, :, 1].mean() - 0.3 * steps.sum()


def test_hair_lies_outside_the_body(people, body):
    for person in people:
        vertices, grids = hair(person, body)
        normals = vertex_normals(vertices[None], body.faces)[0].numpy()
        trunk = Obstacles(vertices.numpy()[person.trunk], normals[person.trunk])
        for grid in grids:
            if person.clothed.hair.span_rad:
                gap, _ = trunk.gap(grid[len(TILTS_DEG) :].reshape(-1, 3))
                assert np.mean(gap < -0.004) < 0.01


def test_hair_falls_along_gravity(people, body):
    """The whole person lies: hair falls toward the new ground, not toward the feet."""
    long = next(p for p in people if p.clothed.hair.span_rad and p.clothed.hair.length_m > 0.2)
    aside = np.array([0.0, -0.6, -0.8])
    _, (upright,) = hair(long, body)
    _, (leaning,) = hair(long, body, gravity=aside)
    assert ((leaning[-1] - upright[-1]) @ aside).mean() > 0.02
    assert np.allclose(leaning[: len(TILTS_DEG)], upright[: len(TILTS_DEG)])


def test_the_head_carries_the_roots(people, body):
    person = people[0]
    pose = REST.copy()
    pose[HEAD] = (0.0, 0.6, 0.0)
    _, before = hair(person, body)
    _, after = hair(person, body, pose)
    assert np.linalg.norm(after[0][0] - before[0][0], axis=-1).max() > 0.01


def test_styles_differ():
    styles = [draw_hairstyle(np.random.default_rng(seed)) for seed in range(40)]
    assert {len(style.roots) for style in styles} == {0, 1, 2}
    assert all((len(style.roots) == 0) == (style.span_rad > 0) for style in styles)
