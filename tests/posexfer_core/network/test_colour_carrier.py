"""A source of two colours: places with positive x are red, the others blue."""

from dataclasses import replace

import pytest
import torch

from posexfer_core.network.colour_carrier import carry_colours
from posexfer_core.network.condition import ConditionInputs

RED, BLUE = torch.tensor([1.0, -1.0, -1.0]), torch.tensor([-1.0, -1.0, 1.0])


def sheet(z: float, x: float, count: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay a square of points in the middle of the image, at one depth and one rest place."""
    side = torch.linspace(-0.3, 0.3, count)
    v, u = torch.meshgrid(side, side, indexing="ij")
    points = torch.stack([u, v, torch.full_like(u, z)], -1).flatten(0, 1)
    places = torch.stack([torch.full_like(u, x), v / 10.0, u / 10.0], -1).flatten(0, 1)
    return points, places


@pytest.fixture
def source() -> ConditionInputs:
    """Show the body all over the image; rest place x runs from -1 to 1 across it.

    Two sheets lie over one another, the red one 2 mm behind the blue.
    """
    across = torch.linspace(-1.0, 1.0, 96).expand(1, 1, 128, 96)
    red, blue = sheet(0.002, 0.6), sheet(0.0, -0.6)
    return ConditionInputs(
        image=torch.where(across > 0, RED[:, None, None], BLUE[:, None, None]),
        source_maps=torch.cat([across, 0.0 * across, 0.0 * across, torch.ones_like(across)], 1),
        points=torch.cat([red[0], blue[0]])[None],
        points_canonical=torch.cat([red[1], blue[1]])[None],
    )


def colour_at_middle(inputs: ConditionInputs) -> torch.Tensor:
    return carry_colours(inputs, stride=4)[0, :3, 16, 12]


def test_the_nearer_surface_is_seen_however_near_the_other_is(source):
    torch.testing.assert_close(colour_at_middle(source), BLUE, atol=0.05, rtol=0)
    swapped = source.with_depth(-source.points[..., 2])
    torch.testing.assert_close(colour_at_middle(swapped), RED, atol=0.05, rtol=0)


def test_a_place_that_is_not_shown_takes_the_other_sides(source):
    cut = source.source_maps.clone()
    cut[..., :48] = 0.0  # the blue half is no body
    hidden = replace(source, source_maps=cut)
    torch.testing.assert_close(colour_at_middle(hidden), RED, atol=0.02, rtol=0)


@pytest.mark.parametrize("count", [12, 40])
def test_pixels_between_points_are_covered_however_many_there_are(source, count):
    points, places = sheet(0.0, 0.6, count)
    one = replace(source, points=points[None], points_canonical=places[None])
    covered = carry_colours(one, stride=4)[0, 3]
    assert covered.shape == (32, 24)
    assert covered[13:19, 10:14].min() > 0.9 and covered[:6].max() < 0.01


def test_a_person_twice_as_near_has_footprints_twice_as_large(source):
    points, places = sheet(0.0, 0.6, 12)
    wide = points * torch.tensor([2.0, 2.0, 1.0])
    one = replace(source, points=wide[None], points_canonical=places[None])
    assert carry_colours(one, stride=4)[0, 3, 9:23, 7:17].min() > 0.85


def test_bands_and_strides_change_nothing_but_the_grid(source):
    fine, coarse = (carry_colours(source, stride=stride) for stride in (2, 4))
    assert fine.shape == (1, 4, 64, 48)
    pooled = torch.nn.functional.avg_pool2d(fine, 2)
    torch.testing.assert_close(
        pooled[..., 14:18, 10:14], coarse[..., 14:18, 10:14], atol=0.05, rtol=0
    )
    both = source.map_tensors(lambda values: torch.cat([values, values.flip(0)]))
    torch.testing.assert_close(carry_colours(both, stride=4)[1:], coarse)


def test_colours_follow_where_points_are(source):
    points = source.points.clone().requires_grad_()
    carry_colours(replace(source, points=points), stride=4).sum().backward()
    assert points.grad is not None and points.grad[..., :2].abs().max() > 0
    assert points.grad.isfinite().all()


def test_the_network_carries_only_for_the_map_and_only_where_it_has_depth(toy_network, toy_inputs):
    inputs = toy_inputs()
    given = {name: values for name, values in inputs.maps.items() if name != "carried"}
    deeper = replace(inputs, points=inputs.points + torch.tensor([0.0, 0.0, 0.5]))
    flat, full = (toy_network(maps=("plate", "carried"), z_mode=mode) for mode in ("zero", "root"))
    assert torch.equal(full.seen_as(inputs).maps["carried"], inputs.maps["carried"])
    maps = [flat.seen_as(each).maps["carried"] for each in (inputs, replace(deeper, maps=given))]
    assert maps[0].shape == (2, 4, 48, 40) and torch.equal(maps[0], maps[1])
    assert "carried" not in toy_network().seen_as(replace(inputs, maps=given)).maps
