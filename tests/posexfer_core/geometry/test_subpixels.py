"""The grid that makes pixel tests exact."""

import torch

from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.subpixels import REACH_PX, UNIT, to_subpixels

CAMERA = intrinsics_matrix(100, (100, 100))[None]


def test_vertex_falls_on_the_subpixel_worked_by_hand():
    xy, inverse = to_subpixels(torch.tensor([[[1.0, 2.0, 4.0]]]), CAMERA)
    assert xy.tolist() == [[[307200, 409600]]]
    assert inverse.tolist() == [[0.25]]


def test_rounding_moves_no_vertex_by_more_than_half_a_subpixel(generator):
    vertices = torch.rand(1, 50, 3, generator=generator, dtype=torch.float64) + 1
    xy, _ = to_subpixels(vertices, CAMERA.double())
    exact = 100 * vertices[..., :2] / vertices[..., 2:] + 50
    assert (xy / UNIT - exact).abs().max() <= 0.5 / UNIT


def test_vertices_behind_the_camera_are_marked():
    vertices = torch.tensor([[[1.0, 2.0, -4.0], [0.0, 0.0, 0.0], [0.0, 0.0, 5e-4]]])
    assert to_subpixels(vertices, CAMERA)[1].tolist() == [[0.0, 0.0, 0.0]]


def test_far_vertices_are_pulled_in():
    xy, _ = to_subpixels(torch.tensor([[[1e9, -1e9, 1.0]]]), CAMERA)
    assert xy.tolist() == [[[REACH_PX * UNIT, -REACH_PX * UNIT]]]
