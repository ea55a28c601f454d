import pytest

from posexfer_core.geometry.search_windows import search_windows


def test_an_image_of_640x429_has_15_windows():
    windows = search_windows((429, 640))
    assert len(windows) == 15
    assert windows[0] == ((0.0, 0.0), (640.0, 429.0))
    assert windows[1] == ((0.0, 0.0), (429.0, 429.0))


@pytest.mark.parametrize("size", [(429, 640), (640, 429), (100, 100), (64, 1000)])
def test_squares_of_each_side_cover_the_image_and_stay_in_it(size):
    height, width = size
    windows = search_windows(size)[1:]
    for low, high in windows:
        assert high[0] - low[0] == pytest.approx(high[1] - low[1])
        assert min(low) >= 0.0 and high[0] <= width + 1e-6 and high[1] <= height + 1e-6
    small = [w for w in windows if w[1][0] - w[0][0] < min(size) - 1e-6]
    for x in range(0, width, 7):
        for y in range(0, height, 7):
            assert any(a <= x <= c and b <= y <= d for (a, b), (c, d) in small)
