"""Intervals and tests of shares."""

import math

Z_95 = 1.959964


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """Give the 95 % interval of a share (Wilson 1927).

    8 of 10 gives (0.490, 0.943); nothing of nothing gives (0, 1).
    """
    if count == 0:
        return 0.0, 1.0
    share, square = right / count, Z_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    spread = Z_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    half = spread / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(ours: list[bool], theirs: list[bool]) -> float:
    """Give the exact two-sided p of two judgements of the same trials (McNemar 1947).

    Of the trials where they differ, as many should be right on either side. 8 against 1 gives
    2 (C(9, 0) + C(9, 1)) / 2^9 = 0.039; without a difference it is 1.
    """
    pairs = list(zip(ours, theirs, strict=True))
    first = sum(a and not b for a, b in pairs)
    second = sum(b and not a for a, b in pairs)
    count, less = first + second, min(first, second)
    tail = sum(math.comb(count, k) for k in range(less + 1)) / 2**count
    return min(1.0, 2.0 * tail)
