"""A source of two colours: places with positive x are red, the others blue."""

from dataclasses import replace

import pytest
import torch

from posexfer_core.network.colour_carrier import ColourCarrier
from posexfer_core.network.condition import ConditionInputs

RED, BLUE = torch.tensor([1.0, -1.0, -1.0]), torch.tensor([-1.0, -1.0, 1.0])


@pytest.fixture
def source() -> ConditionInputs:
    """Show the body all over the image; rest place x runs from -1 to 1 across it."""
    across = torch.linspace(-1.0, 1.0, 48).expand(1, 1, 64, 48)
    image = torch.where(across > 0, RED[:, None, None], BLUE[:, None, None])
    return ConditionInputs(
        image=image,
        source_maps=torch.cat([across, 0.0 * across, 0.0 * across, torch.ones_like(across)], 1),
        points=torch.tensor([[[0.0, 0.0, 0.2], [0.0, 0.0, -0.2]]]),
        points_canonical=torch.tensor([[[0.6, 0.0, 0.0], [-0.6, 0.0, 0.0]]]),
    )


def colour_at_middle(inputs: ConditionInputs) -> torch.Tensor:
    with torch.no_grad():
        return ColourCarrier()(inputs)[0, :3, 16, 12]


def test_of_two_points_at_one_place_the_nearer_ones_colour_is_seen(source):
    torch.testing.assert_close(colour_at_middle(source), BLUE, atol=0.02, rtol=0)
    swapped = replace(source, points=source.points * torch.tensor([1.0, 1.0, -1.0]))
    torch.testing.assert_close(colour_at_middle(swapped), RED, atol=0.02, rtol=0)


def test_a_point_that_faces_away_is_hidden_by_one_that_does_not(source):
    level = replace(source, points=source.points * torch.tensor([1.0, 1.0, 0.0]))
    normals = torch.tensor([[[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]])  # red faces the camera
    torch.testing.assert_close(
        colour_at_middle(replace(level, normals=normals)), RED, atol=0.02, rtol=0
    )


def test_a_place_that_is_not_shown_takes_the_nearest_one_that_is(source):
    cut = source.source_maps.clone()
    cut[..., :24] = 0.0  # the blue half is no body
    hidden = replace(source, source_maps=cut)
    torch.testing.assert_close(colour_at_middle(hidden), RED, atol=0.02, rtol=0)


def test_pixels_are_covered_near_points_alone(source):
    grid = torch.linspace(-0.3, 0.3, 20)
    v, u = torch.meshgrid(grid, grid, indexing="ij")
    points = torch.stack([u, v, torch.zeros_like(u)], -1).reshape(1, -1, 3)
    many = replace(source, points=points, points_canonical=points)
    with torch.no_grad():
        covered = ColourCarrier()(many)[0, 3]
    assert covered.shape == (32, 24)
    assert covered[14:18, 11:13].min() > 0.9 and covered[:4].max() < 0.01


def test_the_network_carries_only_for_the_map_and_only_where_it_has_depth(toy_network, toy_inputs):
    inputs = toy_inputs()
    network = toy_network(maps=("plate", "carried"), z_mode="zero")
    deeper = replace(inputs, points=inputs.points + torch.tensor([0.0, 0.0, 0.5]))
    maps = [network.seen_as(each).maps for each in (inputs, deeper)]
    assert torch.equal(maps[0]["carried"], inputs.maps["carried"])  # given ones are kept
    given = {name: values for name, values in inputs.maps.items() if name != "carried"}
    first, second = (
        network.seen_as(replace(each, maps=given)).maps["carried"] for each in (inputs, deeper)
    )
    assert first.shape == (2, 4, 48, 40) and torch.equal(first, second)
    assert toy_network().carrier is None
