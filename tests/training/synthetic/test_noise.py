import numpy as np

from training.synthetic.noise import CELLS, SHIFT_CELLS, _volume, value_noise

PLACES = np.random.default_rng(0).uniform(-1.0, 1.0, (500, 3)).astype(np.float32)


def test_compiled_noise_equals_numpy_noise():
    scaled, volume = PLACES * np.float32(20.0) + np.float32(SHIFT_CELLS), _volume()
    cell = np.floor(scaled).astype(np.int64)
    t = scaled - cell.astype(np.float32)
    tx, ty, tz = (t * t * (np.float32(3.0) - np.float32(2.0) * t)).T
    x, y, z = (cell % CELLS).T
    x1, y1, z1 = (x + 1) % CELLS, (y + 1) % CELLS, (z + 1) % CELLS

    def along_x(row, layer):
        start = volume[x, row, layer]
        return start + tx * (volume[x1, row, layer] - start)

    near, far = along_x(y, z), along_x(y, z1)
    near = near + ty * (along_x(y1, z) - near)
    far = far + ty * (along_x(y1, z1) - far)
    np.testing.assert_allclose(value_noise(PLACES, 20.0), near + tz * (far - near), atol=1e-6)


def test_noise_holds_the_volume_at_grid_corners():
    corner = np.array([[0.5, 0.25, 0.75]], np.float32)
    np.testing.assert_allclose(value_noise(corner, 4.0), _volume()[2, 1, 3], atol=1e-6)


def test_noise_is_smooth_and_bounded():
    step = np.array([1e-4, 0.0, 0.0], np.float32)
    noise = value_noise(PLACES, 10.0)
    assert np.abs(noise).max() <= 1.0
    assert np.abs(value_noise(PLACES + step, 10.0) - noise).max() < 0.01
