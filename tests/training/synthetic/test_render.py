import numpy as np
import pytest
import torch

from training.synthetic.people import draw_person
from training.synthetic.render import Figure, draw_image
from training.synthetic.scene import Light, Scene, draw_scene

SIZE = (48, 32)
INTRINSICS = np.array([[60.0, 0.0, 16.0], [0.0, 60.0, 24.0], [0.0, 0.0, 1.0]], np.float32)


def scene(**changes) -> Scene:
    light = Light(
        direction=np.array([0.0, 0.0, -1.0], np.float32),
        lamp=np.full(3, 0.5, np.float32),
        sky=np.full(3, 0.3, np.float32),
        ground=np.full(3, 0.3, np.float32),
        softness=0.0,
        rim=0.0,
        occlusion=0.0,
    )
    settings = {
        "background": np.full((*SIZE, 3), 0.25, np.float32),
        "light": light,
        "focal_px": 60.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        "floor_shadow": 0.0,
    }
    return Scene(**{**settings, **changes})


@pytest.fixture(scope="module")
def square():
    """A square of 1 m, 2 m before the camera: 30 pixels wide."""
    corners = [[-0.5, -0.5, 2.0], [0.5, -0.5, 2.0], [0.5, 0.5, 2.0], [-0.5, 0.5, 2.0]]
    return Figure(
        vertices=torch.tensor(corners),
        faces=torch.tensor([[0, 2, 1], [0, 3, 2], [0, 1, 2], [0, 2, 3]]),
        places=torch.zeros(4, 3),
        person=draw_person(np.random.default_rng(0)),
    )


def test_the_background_shows_around_the_person(square):
    image = draw_image(square, scene(), INTRINSICS)
    assert image.shape == (*SIZE, 3)
    expected = round(255 * 0.25 ** (1 / 2.2))
    assert (np.abs(image[0].astype(int) - expected) <= 1).all()
    assert (np.abs(image[24, 0].astype(int) - expected) <= 1).all()


def test_an_edge_inside_a_pixel_is_blended(square):
    half = Figure(
        vertices=square.vertices + torch.tensor([1.0 / 60.0, 0.0, 0.0]),  # half a pixel
        faces=square.faces,
        places=square.places,
        person=square.person,
    )
    row = draw_image(half, scene(), INTRINSICS)[24].astype(int)
    edge, outside, inside = row[1], row[0], row[3]
    low, high = np.minimum(outside, inside), np.maximum(outside, inside)
    assert ((edge >= low) & (edge <= high)).all()
    assert (np.abs(edge - outside) > 2).any()
    assert (np.abs(edge - inside) > 2).any()


def test_a_floor_shadow_darkens_below_the_feet(square):
    bright = draw_image(square, scene(), INTRINSICS).astype(int)
    dark = draw_image(square, scene(floor_shadow=0.5), INTRINSICS).astype(int)
    assert (dark[40, 16] < bright[40, 16]).all()
    assert np.array_equal(dark[0], bright[0])


@pytest.mark.parametrize("seed", range(12))
def test_every_scene_is_a_image_of_light(seed):
    drawn = draw_scene(np.random.default_rng(seed), SIZE)
    assert drawn.background.shape == (*SIZE, 3)
    assert drawn.background.dtype == np.float32
    assert 0.0 <= drawn.background.min() <= drawn.background.max() <= 1.0
    assert np.linalg.norm(drawn.light.direction) == pytest.approx(1.0, abs=1e-5)
