import pytest
import torch
from torch import nn

from training.averaging import AveragedWeights, trained_parameters


@pytest.fixture
def model() -> nn.Linear:
    model = nn.Linear(2, 1)
    model.weight.data.fill_(1.0)
    model.bias.requires_grad_(False)
    return model


def test_the_average_follows_by_its_warm_up(model: nn.Linear):
    average = AveragedWeights(trained_parameters(model), decay=0.5)
    model.weight.data.fill_(12.0)
    average.update(1)  # d = 2 / 11: 1 + 11 * 9 / 11
    torch.testing.assert_close(average.values["weight"], torch.full((1, 2), 10.0))
    average.update(1000)  # d = 0.5
    torch.testing.assert_close(average.values["weight"], torch.full((1, 2), 11.0))
    assert average.values.keys() == {"weight"}


def test_the_average_is_applied_for_a_while(model: nn.Linear):
    average = AveragedWeights(trained_parameters(model), decay=0.5)
    model.weight.data.fill_(3.0)
    with pytest.raises(ValueError, match="inside"), average.applied():
        assert (model.weight == 1.0).all()
        raise ValueError("inside")
    assert (model.weight == 3.0).all()


def test_the_average_of_half_precision_is_kept_in_float32(model: nn.Linear):
    average = AveragedWeights(trained_parameters(model.to(torch.bfloat16)), decay=0.5)
    average.update(1)
    assert average.values["weight"].dtype == torch.float32
