"""What a camera sees: walls and a box, hand-worked, and the warp of a view onto itself."""

import torch

from posexfer_core.geometry.camera import intrinsics_matrix, pixels_to_ndc, project_perspective
from posexfer_core.geometry.rasterize import rasterize
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.geometry.visibility import surface_warp

SIZE = (32, 40)
CAMERA = intrinsics_matrix(32, SIZE)[None]
QUAD = torch.tensor([[0, 1, 2], [0, 2, 3]])
CUBE = torch.tensor([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
CUBE_SIDES = torch.tensor(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)
CUBE_FACES = CUBE_SIDES[:, [[0, 1, 2], [0, 2, 3]]].flatten(0, 1)


def wall(z, half=1.0, shift=0.0):
    """Build a square at depth z that faces the camera."""
    corners = [[-half, -half, z], [-half, half, z], [half, half, z], [half, -half, z]]
    return torch.tensor(corners) + torch.tensor([shift, 0.0, 0.0])


def turned_cube(angle, z=3.0):
    rotation = axis_angle_to_matrix(torch.tensor([0.0, angle, 0.0]))
    return (CUBE @ rotation.T + torch.tensor([0.0, 0.0, z]))[None]


def pixel_grid():
    row, column = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    return pixels_to_ndc(torch.stack([column, row], dim=-1) + 0.5, SIZE)


def test_a_view_warped_onto_itself_stays():
    vertices = turned_cube(0.4)
    seen = rasterize(vertices, CUBE_FACES, CAMERA, SIZE)
    warp = surface_warp(vertices, seen, CAMERA, SIZE, seen, CUBE_FACES)
    torch.testing.assert_close(
        warp.grid[seen.mask], pixel_grid()[None][seen.mask], atol=1e-3, rtol=0
    )
    assert torch.equal(warp.visible > 0, seen.mask)
    assert (warp.grid[~seen.mask] == -2).all()


def test_places_stay_with_the_surface():
    """A wall moves by 4 pixels; its colours are found 4 pixels beside."""
    source, target = wall(2.0, 0.5)[None], wall(2.0, 0.5, shift=0.25)[None]
    seen = rasterize(source, QUAD, CAMERA, SIZE)
    target_seen = rasterize(target, QUAD, CAMERA, SIZE)
    warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, QUAD)
    shift = torch.tensor([2 * 4 / SIZE[1], 0.0])
    expected = (pixel_grid() - shift)[None][target_seen.mask]
    torch.testing.assert_close(warp.grid[target_seen.mask], expected, atol=1e-4, rtol=0)
    assert torch.equal(warp.visible > 0, target_seen.mask)


def test_sides_turned_away_and_edges_on_are_not_carried():
    source, target = turned_cube(0.0), turned_cube(1.2)
    seen, target_seen = (rasterize(v, CUBE_FACES, CAMERA, SIZE) for v in (source, target))
    warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, CUBE_FACES)
    front = (target_seen.face_id == 8) | (target_seen.face_id == 9)
    assert front.sum() > 20 and (target_seen.mask & ~front).sum() > 20
    assert not (warp.visible[~front] > 0).any()
    assert warp.visible[front].mean() > 0.9
    strict = surface_warp(source, seen, CAMERA, SIZE, target_seen, CUBE_FACES, min_cosine=0.999)
    assert 0 < strict.visible.sum() < warp.visible.sum()


def test_what_an_occluder_hides_in_the_source_is_not_carried():
    faces = torch.cat([QUAD, QUAD + 4])
    source = torch.cat([wall(2.0, 0.8), wall(1.0, 0.2)])[None]
    target = torch.cat([wall(2.0, 0.8), wall(1.0, 0.2, shift=9.0)])[None]
    seen, target_seen = (rasterize(v, faces, CAMERA, SIZE) for v in (source, target))
    warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, faces)
    assert torch.equal(warp.visible > 0, target_seen.mask & (seen.face_id < 2))


def test_what_is_hidden_within_the_tolerance_is_carried():
    faces = torch.cat([QUAD, QUAD + 4])
    target = torch.cat([wall(2.0, 0.8), wall(1.0, 0.8, shift=9.0)])[None]
    for behind, carried in ((0.015, True), (0.03, False)):
        source = torch.cat([wall(2.0 + behind, 0.8), wall(2.0, 0.9)])[None]
        seen, target_seen = (rasterize(v, faces, CAMERA, SIZE) for v in (source, target))
        warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, faces)
        assert torch.equal(warp.visible > 0, target_seen.mask & carried)
        loose = surface_warp(source, seen, CAMERA, SIZE, target_seen, faces, tolerance_m=0.05)
        assert torch.equal(loose.visible > 0, target_seen.mask)


def test_what_lies_behind_the_source_camera_is_not_carried():
    source, target = wall(-1.0)[None], wall(2.0)[None]
    seen, target_seen = (rasterize(v, QUAD, CAMERA, SIZE) for v in (source, target))
    warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, QUAD, min_cosine=-1.0)
    assert target_seen.mask.any() and not warp.visible.any()


def test_what_lies_outside_the_source_image_is_not_carried():
    source, target = wall(2.0, 1.0, shift=1.25)[None], wall(2.0, 0.9)[None]
    seen, target_seen = (rasterize(v, QUAD, CAMERA, SIZE) for v in (source, target))
    warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, QUAD)
    inside = (warp.grid.abs() <= 1).all(-1)
    assert torch.equal(warp.visible > 0, target_seen.mask & inside)
    assert 0 < warp.visible.sum() < target_seen.mask.sum()


def test_slanted_surfaces_are_seen_beside_themselves():
    """Depth changes by more than the tolerance from pixel to pixel on a steep wall."""
    vertices = wall(0.0, 0.8) @ axis_angle_to_matrix(torch.tensor([0.0, 1.2, 0.0])).T
    vertices = (vertices + torch.tensor([0.0, 0.0, 2.5]))[None]
    seen = rasterize(vertices, QUAD, CAMERA, SIZE)
    steps = seen.depth.diff(dim=-1).abs()
    assert steps[steps.isfinite()].median() > 0.04
    warp = surface_warp(vertices, seen, CAMERA, SIZE, seen, QUAD)
    assert torch.equal(warp.visible > 0, seen.mask)


def test_batch_rows_do_not_mix():
    source = torch.cat([turned_cube(0.2), turned_cube(0.2, z=4.0)])
    target = torch.cat([turned_cube(-0.5), turned_cube(-0.1, z=3.5)])
    camera = CAMERA.expand(2, 3, 3)
    seen, target_seen = (rasterize(v, CUBE_FACES, camera, SIZE) for v in (source, target))
    both = surface_warp(source, seen, camera, SIZE, target_seen, CUBE_FACES)
    for row in range(2):
        one = slice(row, row + 1)
        seen_one, target_one = (
            rasterize(v[one], CUBE_FACES, CAMERA, SIZE) for v in (source, target)
        )
        alone = surface_warp(source[one], seen_one, CAMERA, SIZE, target_one, CUBE_FACES)
        torch.testing.assert_close(both.grid[one], alone.grid)
        torch.testing.assert_close(both.visible[one], alone.visible, atol=1e-5, rtol=0)


def test_grid_is_the_projection_of_the_carried_point():
    source, target = turned_cube(0.3), turned_cube(-0.2)
    seen, target_seen = (rasterize(v, CUBE_FACES, CAMERA, SIZE) for v in (source, target))
    warp = surface_warp(source, seen, CAMERA, SIZE, target_seen, CUBE_FACES)
    row, column = target_seen.mask[0].nonzero()[17].tolist()
    corners = CUBE_FACES[target_seen.face_id[0, row, column]]
    point = target_seen.barycentric[0, row, column] @ source[0, corners]
    expected = pixels_to_ndc(project_perspective(point[None], CAMERA[0]), SIZE)[0]
    torch.testing.assert_close(warp.grid[0, row, column], expected)
