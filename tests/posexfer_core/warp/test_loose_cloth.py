"""Cloth beyond the shell goes with the person, or goes."""

import math
from dataclasses import replace

import pytest
import torch

from posexfer_core.warp.clothed_shell import fit_shell, wear
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.loose_cloth import connected, loose_pieces
from posexfer_core.warp.warp_to_pose import warp_to_pose

SIZE = (384, 256)
RED, GREEN = (torch.tensor(c).view(1, 3, 1, 1) for c in ([1.0, -1, -1], [-1.0, 0.5, -1]))


@pytest.fixture
def hoop(posed) -> tuple[torch.Tensor, torch.Tensor]:
    """A mask of somebody in a skirt that reaches the floor far from the legs, and the body's."""
    body = posed(size=SIZE).visibility.mask
    row, column = torch.meshgrid(*(torch.arange(side) for side in SIZE), indexing="ij")
    rows = body[0].any(1).nonzero()[:, 0]
    waist, floor = int(rows[0] + 0.45 * len(rows)), int(rows[-1])
    half = 12 + 0.75 * (row - waist)
    skirt = (row >= waist) & (row <= floor) & ((column - SIZE[1] / 2).abs() < half)
    return (body | skirt)[:, None].float(), body


def test_pieces_of_a_mask_have_a_number_each():
    mask = torch.zeros(6, 7, dtype=torch.bool)
    mask[0, 0] = mask[1, 1] = mask[2, 0] = True  # by corners
    mask[5, 2:6] = mask[3:5, 5] = True
    labels = connected(mask)
    assert torch.equal(labels > 0, mask)
    assert len({int(labels[at]) for at in ((0, 0), (1, 1), (2, 0))}) == 1
    assert len(labels.unique()) == 3
    assert not connected(torch.zeros_like(mask)).any()


def test_a_hem_is_cloth_and_a_pole_is_a_thing(posed, hoop):
    view, (mask, _) = posed(size=SIZE), hoop
    pole = torch.zeros(SIZE, dtype=torch.bool)
    pole[10:110, 205:210] = True
    mask = mask[0, 0].maximum(pole.float())
    shell = fit_shell(view, mask)
    pieces, things = loose_pieces(shell.unreached, mask, wear(view, shell.offsets), (0, 0), 1)
    assert len(pieces) >= 2
    assert bool(things[12:80, 205:210].all())
    assert not (things & ~dilate(pole[None], 3)[0]).any()


def test_a_crumb_is_no_thing(posed):
    view = posed(size=SIZE)
    mask = view.visibility.mask[0].float()
    mask[12:18, 205:211] = 1.0
    shell = fit_shell(view, mask)
    assert bool(shell.unreached[13:17, 206:210].all())
    pieces, things = loose_pieces(shell.unreached, mask, wear(view, shell.offsets), (0, 0), 1)
    assert not pieces and not things.any()


def test_an_equal_pose_keeps_a_hem_beyond_the_shell(posed, hoop):
    view, (mask, _) = posed(size=SIZE), hoop
    image = torch.where(mask > 0, RED, GREEN)
    warped = warp_to_pose(image, view, view, mask)
    inner = ~dilate(mask[0] < 0.5, 4)[:, None]
    red = (warped.image - RED).abs().amax(1, keepdim=True) < 0.1
    assert float(red[inner].float().mean()) > 0.97
    assert not (red & (mask < 0.5) & ~warped.body).any()


@pytest.mark.parametrize("leftovers", ["keep", "remove"])
def test_no_shred_of_a_hem_stays_where_it_was(posed, hoop, generator, leftovers):
    view, (mask, _) = posed(size=SIZE), hoop
    image = torch.where(mask > 0, RED, GREEN) + 0.1 * torch.rand(1, 3, *SIZE, generator=generator)
    walking = posed(size=SIZE, yaw=0.8, l_hip=[-0.9, 0.0, 0.3], r_hip=[0.4, 0.0, -0.3])
    warped = warp_to_pose(image.clamp(-1, 1), view, walking, mask, leftovers=leftovers)
    same = (warped.image == image.clamp(-1, 1)).all(1, keepdim=True)
    assert not (same & (mask > 0.5)).any()
    assert not (warped.background & (mask > 0.5)).any()


def test_a_piece_tapers_off_along_the_shell(posed, hoop):
    view, (mask, _) = posed(size=SIZE), hoop
    shell = fit_shell(view, mask[0, 0])
    worn = wear(view, shell.offsets)
    pieces, _ = loose_pieces(shell.unreached, mask[0, 0], worn, (0, 0), 1)
    assert pieces
    for piece in pieces:
        widths = (piece.share[0, 0] > 0).sum(1)
        assert int(widths[0]) <= 3
        assert int((widths[1:13] - widths[:12]).max()) <= 3


def test_a_hem_goes_with_a_person_who_moves_aside(posed, hoop):
    view, (mask, _) = posed(size=SIZE), hoop
    shell = fit_shell(view, mask[0, 0])
    worn = wear(view, shell.offsets)
    pieces, _ = loose_pieces(shell.unreached, mask[0, 0], worn, (0, 0), 1)
    across_m = 0.2
    px = across_m * float(view.intrinsics[0, 0, 0] / view.root_depth[0])
    aside = worn.vertices + torch.tensor([across_m, 0.0, 0.0])
    for piece in pieces:
        found = piece.moved(replace(worn, vertices=aside))
        assert found is not None
        turn, shift, mirrored = found
        assert not mirrored
        to = turn * complex(piece.border.mean()) + shift
        assert abs(to - complex(piece.border.mean()) - px) < 0.15 * px


def test_a_piece_is_mirrored_from_behind_and_goes_where_it_is_folded(posed, hoop):
    view, (mask, _) = posed(size=SIZE), hoop
    shell = fit_shell(view, mask[0, 0])
    worn = wear(view, shell.offsets)
    pieces, _ = loose_pieces(shell.unreached, mask[0, 0], worn, (0, 0), 1)
    left = min(pieces, key=lambda one: float(one.border.real.mean()))
    found = left.moved(wear(posed(size=SIZE, yaw=math.pi), shell.offsets))
    assert found is not None
    assert found[2]
    middle = float(left.border.imag.mean() - SIZE[0] / 2) * float(
        view.root_depth[0] / view.intrinsics[0, 0, 0]
    )
    height = worn.vertices[..., 1]
    folded = torch.where(height > middle, 2 * middle - height, height)
    folded = torch.stack([worn.vertices[..., 0], folded, worn.vertices[..., 2]], -1)
    assert left.moved(replace(worn, vertices=folded)) is None


def test_a_piece_goes_where_it_would_be_stretched_but_not_where_all_comes_nearer(posed, hoop):
    view, (mask, _) = posed(size=SIZE), hoop
    shell = fit_shell(view, mask[0, 0])
    worn = wear(view, shell.offsets)
    piece = loose_pieces(shell.unreached, mask[0, 0], worn, (0, 0), 1)[0][0]
    wide = worn.vertices * torch.tensor([1.6, 1.6, 1.0])
    assert piece.moved(replace(worn, vertices=wide)) is None
    nearer = worn.reframed((0.0, 0.0), 2.0, (2 * SIZE[0], 2 * SIZE[1]))
    found = piece.moved(nearer)
    assert found is not None
    assert abs(found[0]) == pytest.approx(2.0, abs=0.01)
