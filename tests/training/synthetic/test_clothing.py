import numpy as np
import pytest

from training.synthetic.clothing import draw_outfit
from training.synthetic.paint import draw_colour, draw_other_colour, draw_paint, linear
from training.synthetic.people import draw_person

CHEST, HAND, FOOT, FACE = (0.0, 0.1, 0.12), (0.8, 0.22, 0.0), (0.1, -1.14, 0.1), (0.0, 0.42, 0.14)
LANDMARKS = np.array([CHEST, HAND, FOOT, FACE], np.float32)


@pytest.fixture(scope="module")
def places(body):
    return body.v_template.numpy()[::6].copy()


@pytest.mark.parametrize("seed", range(8))
def test_every_pattern_gives_finite_colours(seed, places):
    paint = draw_paint(np.random.default_rng(seed), plain=0.0)
    colours = np.broadcast_to(paint(places), places.shape)
    assert np.isfinite(colours).all()
    assert colours.min() >= -0.3
    assert colours.max() <= 1.5


def test_outfits_cover_the_chest_and_leave_the_face():
    for seed in range(60):
        outfit = draw_outfit(np.random.default_rng(seed))
        covered = np.any([garment.inside(LANDMARKS) > 0.0 for garment in outfit], axis=0)
        assert not covered[3]
    shares = np.mean(
        [
            np.any([g.inside(LANDMARKS) > 0.0 for g in draw_outfit(np.random.default_rng(s))], 0)
            for s in range(60)
        ],
        axis=0,
    )
    assert shares[0] > 0.8  # deep necklines leave some chests bare
    assert shares[1] < 0.3
    assert shares[2] > 0.8


def test_left_and_right_differ_often(places):
    mirror = places * np.array([-1.0, 1.0, 1.0], np.float32)
    differ = 0
    for seed in range(30):
        person = draw_person(np.random.default_rng(seed))
        change = np.abs(person.surface(places)[0] - person.surface(mirror)[0]).max(1)
        differ += (change > 0.2).mean() > 0.03
    assert differ >= 8


def test_cloth_stands_off_by_millimetres_to_centimetres(places):
    for seed in range(20):
        distance = draw_person(np.random.default_rng(seed)).stand_off(places)
        assert distance.min() >= -0.003
        assert 0.003 < distance.max() < 0.16


def test_colours_are_told_apart():
    rng = np.random.default_rng(0)
    for _ in range(20):
        colour = draw_colour(rng)
        other = draw_other_colour(rng, colour)
        assert np.abs(colour - other).max() > 0.01


def test_display_white_is_linear_white():
    np.testing.assert_allclose(linear((0.0, 0.5, 1.0)), [0.0, 0.5**2.2, 1.0], rtol=1e-6)
