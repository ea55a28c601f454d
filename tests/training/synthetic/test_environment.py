import numpy as np
import pytest

from posexfer_core.errors import ConfigError
from training.synthetic import environment
from training.synthetic.environment import SMALL, draw_environment, panoramas

AXES = np.concatenate([np.eye(3), -np.eye(3)])
UPRIGHT = np.diag([1.0, -1.0, -1.0])
INTRINSICS = np.array([[60.0, 0.0, 16.0], [0.0, 60.0, 24.0], [0.0, 0.0, 1.0]])


def test_even_light_is_the_same_on_every_side():
    light = environment._lit_by(np.ones((*SMALL, 3)), np.eye(3), 0.8)
    np.testing.assert_allclose(light.irradiance(AXES), 0.8, rtol=0.01)
    assert not light.sun.any()


def test_a_bright_spot_is_the_sun_and_the_rest_comes_from_above():
    panorama = np.full((*SMALL, 3), 0.2)
    panorama[: SMALL[0] // 2] = 1.0
    panorama[4, 8] = 400.0  # 50.6 degrees from the zenith, 84.4 degrees to the left of the middle
    light = environment._lit_by(panorama, np.eye(3), 1.0)
    polar, azimuth = np.radians(50.625), np.radians(-84.375)
    toward = (np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth))
    np.testing.assert_allclose(light.sun_direction, toward, atol=0.02)
    assert light.sun.min() > 0.1
    up, down = light.irradiance(np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]))
    assert (up > 2.0 * down).all()


@pytest.mark.parametrize("seed", range(8))
def test_drawn_light_is_neither_dark_nor_glaring(seed):
    light = draw_environment(np.random.default_rng(seed), UPRIGHT)
    again = draw_environment(np.random.default_rng(seed), UPRIGHT)
    assert np.array_equal(light.harmonics, again.harmonics)
    facing = light.irradiance(np.array([[0.0, 0.0, -1.0]])).max()
    assert 0.02 < facing < 3.0
    view = light.view(INTRINSICS, (48, 32), 0.02)
    assert view.shape == (48, 32, 3)
    assert 0.0 <= view.min() <= view.max() <= 1.0


def test_the_ground_is_below(monkeypatch):
    panorama = np.zeros((*SMALL, 3))
    panorama[: SMALL[0] // 2] = 1.0
    light = environment._lit_by(panorama, UPRIGHT, 1.0)
    view = light.view(INTRINSICS, (48, 32), 0.005)
    assert view[:16].mean() > 2.0 * view[32:].mean()


def test_a_folder_without_panoramas_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no \*\.exr"):
        panoramas(tmp_path)


def test_a_missing_reader_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "OpenEXR", None)
    (tmp_path / "sky.exr").touch()
    with pytest.raises(ConfigError, match="pip install OpenEXR"):
        environment._read(tmp_path / "sky.exr")
