"""What SMPL-H and SMPL-X add to SMPL's 24 joints: fingers, jaw, eyes and expression."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ParamsError

FINGERS, FACE, EXPRESSIONS = 30, 3, 10
SHAPES = {"fingers": (FINGERS, 3), "face": (FACE, 3), "expression": (EXPRESSIONS,)}
"""Name → shape for each person of each frame."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HandsFace:
    """Zeros are the rest: flat hands, a shut mouth, eyes ahead, the mean face."""

    fingers: Float[Tensor, "frames persons 30 3"]
    """Axis-angle, radians, in SMPL-X's order: left index, middle, pinky, ring and thumb, three
    joints each from the hand outwards, then the right ones."""
    face: Float[Tensor, "frames persons 3 3"]
    """Axis-angle of jaw, left eye and right eye, radians."""
    expression: Float[Tensor, "frames persons 10"]
    """Coefficients of the body model's own expressions."""

    def __post_init__(self) -> None:
        """Check shapes and numbers."""
        check_hands_face({name: getattr(self, name) for name in SHAPES})

    @classmethod
    def rest(cls, like: Float[Tensor, "frames persons 24 3"]) -> "HandsFace":
        """Make flat hands and the mean face."""
        people = like.shape[:2]
        return cls(**{name: like.new_zeros(*people, *shape) for name, shape in SHAPES.items()})

    @classmethod
    def joined(cls, parts: "Sequence[HandsFace]") -> "HandsFace":
        """Show one after the other."""
        return cls(**{name: torch.cat([getattr(one, name) for one in parts]) for name in SHAPES})

    def each(self, change: Callable[[Tensor], Tensor]) -> "HandsFace":
        """Change every tensor in the same way."""
        return HandsFace(**{name: change(getattr(self, name)) for name in SHAPES})

    def without_expression(self) -> "HandsFace":
        """Keep the pose: expressions mean nothing to another body model."""
        return HandsFace(
            fingers=self.fingers, face=self.face, expression=torch.zeros_like(self.expression)
        )


def check_hands_face(tensors: Mapping[str, Tensor]) -> None:
    """Hold the tensors of `SHAPES` against each other.

    Raises:
        ParamsError: a shape is another, or a number is not finite.
    """
    people = tensors["fingers"].shape[:2]
    for name, shape in SHAPES.items():
        tensor = tensors[name]
        if tensor.shape != (*people, *shape) or not tensor.is_floating_point():
            raise ParamsError(
                f"{name} has shape {tuple(tensor.shape)} of {tensor.dtype}, expected "
                f"(frames, persons, {', '.join(map(str, shape))}) of floating-point numbers."
            )
        if not torch.isfinite(tensor).all():
            raise ParamsError(f"{name} holds numbers that are NaN or infinite.")
