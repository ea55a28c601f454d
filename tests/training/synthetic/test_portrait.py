from dataclasses import replace

import numpy as np
import pytest
import torch

from training.synthetic.environment import SMALL, _lit_by
from training.synthetic.people import draw_person
from training.synthetic.portrait import LABELS, Sheet, draw_portrait
from training.synthetic.render import Figure
from training.synthetic.scene import draw_camera

SIZE = (48, 32)
INTRINSICS = np.array([[60.0, 0.0, 16.0], [0.0, 60.0, 24.0], [0.0, 0.0, 1.0]], np.float32)
WHITE = np.ones(3, np.float32)


@pytest.fixture(scope="module")
def body():
    """A small triangle, 3 m before the camera."""
    return Figure(
        vertices=torch.tensor([[-0.1, -0.1, 3.0], [0.1, -0.1, 3.0], [0.0, 0.1, 3.0]]),
        faces=torch.tensor([[0, 2, 1]]),
        places=torch.zeros(3, 3),
        person=draw_person(np.random.default_rng(0)),
    )


def cloth(toward_camera: bool) -> Sheet:
    """A square of 0.5 m, 2 m before the camera: 15 pixels wide."""
    x, y = np.meshgrid(np.linspace(-0.25, 0.25, 6), np.linspace(-0.25, 0.25, 5))
    vertices = np.stack([x, y, np.full_like(x, 2.0)], -1)
    vertices = vertices if toward_camera else vertices[:, ::-1]
    return Sheet(vertices, np.zeros_like(vertices, np.float32), lambda _: WHITE, 0.0, "skirt")


def draw(body, sheets, background=0.25):
    scene = draw_camera(np.random.default_rng(0), np.full((*SIZE, 3), background, np.float32))
    lamp = replace(scene.light, occlusion=0.0)
    scene = replace(scene, floor_shadow=0.0, light=lamp)
    light = _lit_by(np.ones((*SMALL, 3)), np.eye(3), 0.5)
    return draw_portrait(body, np.ones(3, np.float32), sheets, scene, light, INTRINSICS)


def test_coverage_depth_and_labels_are_those_of_the_cloth(body):
    shown = draw(body, [cloth(True)])
    covered = shown.coverage > 0
    rows, columns = np.nonzero(shown.coverage == 255)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (17, 30, 9, 22)
    assert shown.coverage.sum() / 255 == pytest.approx(15 * 15, abs=8)  # edges at half pixels
    assert np.array_equal(covered, np.isfinite(shown.depth))
    assert np.array_equal(covered, shown.labels == LABELS.index("skirt"))
    np.testing.assert_allclose(shown.depth[covered], 2.0, rtol=1e-5)


def test_the_mask_is_the_silhouette(body):
    """What is not covered shows the background and nothing else; what is covered shows none."""
    dark, bright = (draw(body, [cloth(True)], background) for background in (0.0, 1.0))
    coverage = dark.coverage
    assert np.array_equal(coverage, bright.coverage)
    assert (dark.image[coverage == 0] == 0).all()
    assert (bright.image[coverage == 0] == 255).all()
    assert np.array_equal(dark.image[coverage == 255], bright.image[coverage == 255])
    part = (coverage > 0) & (coverage < 255)
    assert (dark.image[part] < bright.image[part]).all()


def test_cloth_is_seen_from_both_sides_and_darker_inside(body):
    outside, inside = draw(body, [cloth(True)]), draw(body, [cloth(False)])
    assert np.array_equal(outside.coverage, inside.coverage)
    level = 255 * 0.5 ** (1 / 2.2)
    np.testing.assert_allclose(outside.image[24, 16], level, atol=4)
    assert (inside.image[24, 16] < outside.image[24, 16] - 20).all()


def test_what_is_nearer_is_labelled(body):
    behind = replace(cloth(True), vertices=cloth(True).vertices * 2.0)
    labels = draw(body, [behind]).labels
    assert labels[23, 16] == LABELS.index("body")
    assert labels[19, 11] == LABELS.index("skirt")


def test_the_sun_casts_shadows(body):
    """A small cloth between the sun and a large one darkens it."""
    panorama = np.full((*SMALL, 3), 0.1)
    panorama[SMALL[0] // 2, 0] = 500.0  # behind the camera: the panorama's middle is ahead
    light = _lit_by(panorama, np.diag([1.0, -1.0, 1.0]), 0.5)
    assert light.sun_direction[2] < -0.9
    scene = draw_camera(np.random.default_rng(0), np.zeros((*SIZE, 3), np.float32))
    wall = replace(cloth(True), vertices=cloth(True).vertices * 2.0)
    small = replace(wall, vertices=cloth(True).vertices * 0.3 + (0.3, 0.0, 1.4), label="hair")
    bare, shaded = (
        draw_portrait(body, np.ones(3, np.float32), sheets, scene, light, INTRINSICS)
        for sheets in ([wall], [wall, small])
    )
    cast = (bare.image.astype(int) - shaded.image).max(-1)[shaded.labels == LABELS.index("skirt")]
    assert cast.max() > 20
