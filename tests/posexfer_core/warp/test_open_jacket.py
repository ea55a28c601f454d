"""What an open jacket shows."""

import pytest
import torch

from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.clothed_shell import face_vertices
from posexfer_core.warp.counterparts import find_counterparts
from posexfer_core.warp.hairline import COLUMNS, HairBand
from posexfer_core.warp.open_jacket import (
    COLUMN,
    FLANK_END,
    MARGIN,
    ROW,
    ROWS,
    TOP,
    Opening,
    find_opening,
)

JACKET, SHIRT = torch.tensor([-0.5, -0.4, 0.1]), torch.tensor([0.6, 0.5, 0.4])
HEM, EDGE = 0.1, 0.06
HAIR = HairBand(-0.08, 0.08, torch.full((COLUMNS,), 0.82), torch.full((COLUMNS,), 0.88))


@pytest.fixture
def facing(posed):
    """Somebody facing the camera, and where on the rest body each pixel lies: x, y."""
    view = posed(size=(384, 256))
    return view, interpolate(view.visibility, view.faces, view.canonical[None])[..., :2].unbind(-1)


def find(view, shirt, colour=SHIRT) -> Opening | None:
    image = torch.where(shirt[..., None], colour, JACKET)
    speckled = image + 0.05 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return find_opening(speckled.movedim(-1, 1), view, view.visibility.mask, None)


def test_an_opening_is_as_wide_and_as_deep_as_it_is_seen(facing):
    view, (x, y) = facing
    opening = find(view, (x.abs() < EDGE) & (y > HEM))
    assert opening is not None
    height = TOP - ROW * (torch.arange(ROWS) + 0.5)
    chest = (height > HEM + ROW) & (height < 0.5)
    assert bool(((opening.widths[:, chest] - EDGE).abs() < 2 * COLUMN).all())
    assert not opening.widths[:, height < HEM - ROW].any()


def test_prints_and_light_are_no_opening(facing):
    view, (x, y) = facing
    nothing = torch.zeros_like(x, dtype=torch.bool)
    assert find(view, nothing) is None
    assert find(view, (x.abs() < EDGE) & (y > 0.15) & (y < 0.35)) is None
    shading = (1.0 - x.abs() / 0.2).clamp(0.0, 1.0)[..., None]
    assert find(view, ~nothing, JACKET + 0.5 * shading) is None
    assert find(view, x.abs() < 0.2) is None


def test_behind_an_opening_lies_the_better_flank():
    widths = (torch.tensor([[0.04], [0.05]]) - MARGIN).repeat(1, ROWS)
    opening = Opening(widths, torch.full((ROWS,), 0.08 / FLANK_END), left=True)
    across = torch.tensor([0.05 - 1e-6, 1e-6, -0.02, -0.04 + 1e-6, 0.06])
    height = torch.full_like(across, 0.4)
    found, behind = opening.like(torch.stack([across, height, height], 1))
    assert behind.tolist() == [True, True, True, True, False]
    wanted = torch.tensor([0.05, 0.08, 0.065, 0.05, 0.06])
    torch.testing.assert_close(found, torch.stack([wanted, height], 1), atol=1e-5, rtol=0)


def test_the_back_of_a_jacket_does_not_look_at_the_shirt(facing):
    view, (x, y) = facing
    opening = find(view, (x.abs() < EDGE) & (y > HEM))
    assert opening is not None
    across, height, depth = view.canonical.unbind(1)
    behind = (across.abs() < EDGE) & (height > HEM + ROW) & (height < 0.5) & (depth < -0.02)
    assert behind.sum() > 20
    *others, jacket = find_counterparts(view, face_vertices(view), HAIR, opening)
    assert len(others) == len(find_counterparts(view, face_vertices(view), HAIR, None))
    assert not any(bool((kind.allowed & behind).any()) for kind in others)
    assert bool(jacket.allowed[behind].all())
    looks_at = jacket.carried(view.canonical[None])[0, behind]
    assert bool((looks_at[:, 0].abs() > EDGE - COLUMN).all())
    assert bool((looks_at[:, 2] > 0.0).all())
    torch.testing.assert_close(looks_at[:, 1], height[behind], atol=0.02, rtol=0)
