import pytest
from scipy.stats import binomtest

from training.depth_order.statistics import mcnemar, wilson_interval


@pytest.mark.parametrize(("right", "count"), [(8, 10), (0, 7), (150, 300), (300, 300)])
def test_the_interval_is_wilsons(right, count):
    expected = binomtest(right, count).proportion_ci(method="wilson")
    assert wilson_interval(right, count) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_mcnemar_counts_what_one_side_alone_has_right():
    ours = [True] * 8 + [False] + [True] * 20
    theirs = [False] * 8 + [True] + [True] * 20
    assert mcnemar(ours, theirs) == pytest.approx(20 / 512)
    assert mcnemar(theirs, ours) == pytest.approx(binomtest(1, 9).pvalue)
    assert mcnemar(ours, ours) == 1.0
