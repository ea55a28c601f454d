"""Block-pentadiagonal linear systems, by an LDL' factorisation in time linear in the frames.

`A = L S L'` with unit lower triangular blocks `L` and block diagonal `S`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray


@dataclass(frozen=True, kw_only=True)
class Banded:
    """A symmetric positive definite matrix over frames of unknowns."""

    diagonal: Float[ndarray, "frames unknowns unknowns"]
    """Each frame with itself."""
    next: Float[ndarray, "nexts unknowns"]
    """Diagonal of the block between a frame and the next one."""
    second: Float[ndarray, "seconds unknowns"]
    """Diagonal of the block between a frame and the one after the next."""

    @classmethod
    def of_blocks(cls, diagonal: Float[ndarray, "frames unknowns unknowns"]) -> "Banded":
        """Return the block-diagonal matrix."""
        frames, unknowns = diagonal.shape[:2]
        between = [np.zeros((max(frames - step, 0), unknowns)) for step in (1, 2)]
        return cls(diagonal=diagonal, next=between[0], second=between[1])

    def solve(self, right: Float[ndarray, "frames unknowns"]) -> Float[ndarray, "frames unknowns"]:
        """Return `x` with `A x = right`."""
        frames = len(right)
        inverses: list[ndarray] = []
        lower: list[tuple[ndarray, ndarray]] = []  # L[t, t - 1] and L[t, t - 2]
        forward = np.zeros_like(right)
        for t in range(frames):
            pivot, near, far = self._eliminate(t, inverses, lower)
            inverses.append(np.linalg.inv((pivot + pivot.T) / 2.0))
            lower.append((near, far))
            forward[t] = right[t]
            if t >= 1:
                forward[t] -= near @ forward[t - 1]
            if t >= 2:
                forward[t] -= far @ forward[t - 2]
        solved = np.zeros_like(right)
        for t in reversed(range(frames)):
            solved[t] = inverses[t] @ forward[t]
            if t + 1 < frames:
                solved[t] -= lower[t + 1][0].T @ solved[t + 1]
            if t + 2 < frames:
                solved[t] -= lower[t + 2][1].T @ solved[t + 2]
        return solved

    def _eliminate(
        self, t: int, inverses: list[ndarray], lower: list[tuple[ndarray, ndarray]]
    ) -> tuple[ndarray, ndarray, ndarray]:
        """Return `S[t]`, `L[t, t - 1]` and `L[t, t - 2]`."""
        pivot = self.diagonal[t]
        near = far = np.zeros((0, 0))
        if t >= 2:
            far = self.second[t - 2][:, None] * inverses[t - 2]
            pivot = pivot - far * self.second[t - 2]
        if t >= 1:
            between = np.diag(self.next[t - 1])
            if t >= 2:
                between = between - self.second[t - 2][:, None] * lower[t - 1][0].T
            near = between @ inverses[t - 1]
            pivot = pivot - near @ between.T
        return pivot, near, far
