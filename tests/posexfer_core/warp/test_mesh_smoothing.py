"""Values that are spread over a mesh."""

import torch

from posexfer_core.warp.mesh_smoothing import neighbour_table, spread

STRIP = torch.tensor([[0, 1, 2], [2, 1, 3]])


def test_neighbours_are_those_of_the_edges_and_rows_are_filled_by_the_vertex():
    table = neighbour_table(STRIP, 5)
    rows = [set(row.tolist()) for row in table]
    assert [row - {vertex} for vertex, row in enumerate(rows)] == [
        {1, 2},
        {0, 2, 3},
        {0, 1, 3},
        {1, 2},
        set(),
    ]
    assert table[4].tolist() == [4, 4, 4]


def test_between_two_fixed_ends_of_a_chain_values_lie_on_a_line():
    table = torch.tensor([[0, 1], [0, 2], [1, 3], [2, 3]])
    values = torch.tensor([[0.0], [9.0], [9.0], [3.0]])
    weights = torch.tensor([1e4, 0.0, 0.0, 1e4])
    found = spread(values, weights, table, iterations=20)
    torch.testing.assert_close(found[:, 0], torch.tensor([0.0, 1.0, 2.0, 3.0]), atol=1e-2, rtol=0)


def test_data_everywhere_without_stiffness_stay_as_they_are(generator):
    values = torch.rand(4, 3, generator=generator)
    table = neighbour_table(STRIP, 4)
    torch.testing.assert_close(spread(values, torch.ones(4), table, stiffness=0.0), values)
