import pytest
import torch

from posexfer_core.network.fourier import FourierFeatures, position_grid


def test_features_are_sines_then_cosines_of_doubling_frequency():
    features = FourierFeatures(1, 2)(torch.tensor([[0.5]]))
    torch.testing.assert_close(
        features, torch.tensor([[1.0, 0.0, 0.0, -1.0]]), rtol=0, atol=1e-6
    )  # sin pi/2, sin pi, cos pi/2, cos pi


def test_features_of_one_place_times_themselves_are_half_their_number(generator):
    features = FourierFeatures(3, 6)(torch.rand(7, 3, generator=generator))
    torch.testing.assert_close(features.square().sum(-1), torch.full((7,), 18.0))


def test_similarity_depends_on_the_distance_alone(generator):
    places = torch.rand(20, 2, generator=generator) * 0.5
    shift = torch.tensor([0.31, -0.2])
    features = FourierFeatures(2, 5)
    here, there = features(places), features(places + shift)
    similarity = (here * there).sum(-1)
    torch.testing.assert_close(similarity, similarity[:1].expand(20), rtol=0, atol=1e-4)


def test_six_octaves_tell_apart_a_thirty_second_of_the_image():
    features = FourierFeatures(1, 6)
    here, there = features(torch.tensor([[0.1], [0.1 + 2 / 64]]))
    assert (here - there).square().sum() > 4.0  # the highest octave alone has turned over


def test_features_keep_their_precision_in_half_networks():
    places = torch.tensor([[0.987]])
    torch.testing.assert_close(
        FourierFeatures(1, 6).half()(places), FourierFeatures(1, 6)(places), rtol=0, atol=0
    )


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_features_take_any_batch_axes(batch):
    features = FourierFeatures(3, 4)
    assert features(torch.zeros(*batch, 3)).shape == (*batch, features.width)


def test_grid_has_the_centres_of_its_cells_row_by_row():
    torch.testing.assert_close(position_grid(1, 2), torch.tensor([[-0.5, 0.0], [0.5, 0.0]]))
    torch.testing.assert_close(position_grid(2, 1), torch.tensor([[0.0, -0.5], [0.0, 0.5]]))
