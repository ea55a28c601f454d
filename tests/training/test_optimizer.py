from pathlib import Path

import pytest
import torch
from torch import nn

from posexfer_core.errors import ConfigError
from training.averaging import trained_parameters
from training.optimizer import learning_rate_share, make_optimizer, set_learning_rates
from training.run_config import RunConfig


def run(**values: object) -> RunConfig:
    return RunConfig(data=Path("data"), output=Path("out"), **values)  # type: ignore[arg-type]


@pytest.fixture
def parameters() -> dict[str, nn.Parameter]:
    return trained_parameters(nn.ModuleDict({"unet": nn.Linear(2, 2), "head": nn.Linear(2, 2)}))


def test_parts_have_their_own_rates_and_vectors_do_not_decay(parameters):
    settings = run(learning_rate=1.0, learning_rates={"unet.*": 0.1}, weight_decay=0.5)
    optimizer = make_optimizer(parameters, settings)
    found = {
        name: (group["peak"], group["weight_decay"])
        for group in optimizer.param_groups
        for name, parameter in parameters.items()
        if any(parameter is member for member in group["params"])
    }
    assert found == {
        "unet.weight": (0.1, 0.5),
        "unet.bias": (0.1, 0.0),
        "head.weight": (1.0, 0.5),
        "head.bias": (1.0, 0.0),
    }
    set_learning_rates(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {0.05, 0.5}


def test_a_pattern_that_fits_nothing_is_refused(parameters):
    with pytest.raises(ConfigError, match=r"net\.\*.*\n.*\n.*head") as error:
        make_optimizer(parameters, run(learning_rates={"net.*": 0.1}))
    assert len(str(error.value).splitlines()) == 3


def test_rates_rise_stay_and_fall():
    settings = run(steps=10, warmup_steps=2, decay_steps=4)
    shares = [learning_rate_share(step, settings) for step in range(10)]
    assert shares == [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_plain_descent_goes_against_the_gradient(parameters):
    optimizer = make_optimizer(parameters, run(optimizer="sgd", learning_rate=0.5))
    weight = parameters["unet.weight"]
    before = weight.detach().clone()
    weight.grad = torch.ones_like(weight)
    optimizer.param_groups[0]["weight_decay"] = 0.0
    optimizer.step()
    torch.testing.assert_close(weight.detach(), before - 0.5)


def test_a_missing_8_bit_optimiser_is_said(parameters, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "bitsandbytes.optim", None)
    with pytest.raises(ConfigError, match="pip install bitsandbytes"):
        make_optimizer(parameters, run(optimizer="adamw8bit"))
