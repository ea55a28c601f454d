"""Values spread over a mesh: smooth everywhere, near the data where there are any."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def neighbour_table(faces: Int[Tensor, "faces 3"], count: int) -> Int[Tensor, "vertices most"]:
    """List the neighbours of every vertex; shorter rows are filled with the vertex itself."""
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).long()
    one, two = torch.cat([pairs, pairs.flip(1)]).unbind(1)
    edges = torch.unique(one * count + two)
    start, end = torch.div(edges, count, rounding_mode="floor"), edges % count
    degree = torch.bincount(start, minlength=count)
    first = degree.cumsum(0) - degree
    column = torch.arange(len(start), device=faces.device) - first[start]
    table = torch.arange(count, device=faces.device)[:, None].repeat(1, int(degree.max()))
    table[start, column] = end
    return table


def spread(
    values: Float[Tensor, "vertices channels"],
    weights: Float[Tensor, "vertices"],
    table: Int[Tensor, "vertices most"],
    *,
    stiffness: float = 1.0,
    start: Float[Tensor, "vertices channels"] | None = None,
    iterations: int = 40,
) -> Float[Tensor, "vertices channels"]:
    """Minimise `sum w |x - v|^2 + stiffness sum |x_i - x_j|^2` over vertices i, neighbours j.

    Conjugate gradients from `start` (0 if None), preconditioned by the diagonal. With weight 1 at
    both ends of a chain, values 0 and 1 there, and next to no stiffness, the values in between lie
    on a line.

    Args:
        values: the data.
        weights: of the data; 0 where there are none.
        table: from `neighbour_table`.
        stiffness: weight of an edge against that of a datum.
        start: first guess; a good one saves iterations.
        iterations: at most.
    """
    weight, most = weights[:, None], table.shape[1]

    def normal_matrix(x: Tensor) -> Tensor:
        return stiffness * (most * x - x[table].sum(1)) + weight * x

    own = torch.arange(len(table), device=table.device)[:, None]
    diagonal = stiffness * (table != own).sum(1, keepdim=True) + weight
    diagonal = diagonal.clamp(min=1e-9)
    x = torch.zeros_like(values) if start is None else start.clone()
    residual = weight * values - normal_matrix(x)
    direction = step = residual / diagonal
    energy = (residual * step).sum(0)
    limit = 1e-10 * energy.clamp(min=1e-12)
    for _ in range(iterations):
        if bool((energy <= limit).all()):
            break
        image = normal_matrix(direction)
        along = energy / (direction * image).sum(0).clamp(min=1e-30)
        x = x + along * direction
        residual = residual - along * image
        step = residual / diagonal
        energy, last = (residual * step).sum(0), energy
        direction = step + energy / last.clamp(min=1e-30) * direction
    return x
