"""More image around a photo: its mirror image, without the person."""

from jaxtyping import Bool, Float
from torch import Tensor

from ..geometry.resample import mirrored


def with_mirror(
    image: Float[Tensor, "1 3 height width"],
    hole: Bool[Tensor, "1 height width"],
    filled: Float[Tensor, "3 pixels"],
    border: Bool[Tensor, "1 height width"],
) -> tuple[Bool[Tensor, "1 height width"], Float[Tensor, "3 filled"]]:
    """Fill a border by the mirror image of what lies inside it, its hole filled.

    Args:
        image: of which the inside is used.
        hole: where the person is cut out.
        filled: colours of the hole, row by row.
        border: all around a rectangle.

    Returns:
        Hole and border, and the colours of both, row by row.
    """
    inside = ~border[0]
    if not bool(inside.any()):
        return hole, filled
    plate = image[0].clone()
    plate[:, hole[0]] = filled
    for axis in (0, 1):
        lines = inside.any(1 - axis).nonzero()[:, 0]
        first, length = int(lines[0]), len(lines)
        at = first + mirrored(lines.new_tensor(range(inside.shape[axis])) - first, length)
        plate = plate.index_select(1 + axis, at)
    whole = hole | border
    return whole, plate[:, whole[0]]
