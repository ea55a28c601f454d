import numpy as np

from training.synthetic.noise import SHIFT_CELLS, _look_up_with_numpy, _volume, value_noise

PLACES = np.random.default_rng(0).uniform(-1.0, 1.0, (500, 3)).astype(np.float32)


def test_compiled_noise_equals_numpy_noise():
    scaled = PLACES * np.float32(20.0) + np.float32(SHIFT_CELLS)
    np.testing.assert_allclose(
        value_noise(PLACES, 20.0), _look_up_with_numpy(scaled, _volume()), atol=1e-6
    )


def test_noise_holds_the_volume_at_grid_corners():
    corner = np.array([[0.5, 0.25, 0.75]], np.float32)
    np.testing.assert_allclose(value_noise(corner, 4.0), _volume()[2, 1, 3], atol=1e-6)


def test_noise_is_smooth_and_bounded():
    step = np.array([1e-4, 0.0, 0.0], np.float32)
    noise = value_noise(PLACES, 10.0)
    assert np.abs(noise).max() <= 1.0
    assert np.abs(value_noise(PLACES + step, 10.0) - noise).max() < 0.01
