from pathlib import Path

import pytest
import torch
from torch import nn

from posexfer_core.errors import ConfigError
from tests.training.small_network import SMALL_MODEL
from training.config import TrainConfig
from training.estimate_cost import _Shapes, main, read_size

TINY = (
    """
[run]
data = "data"
output = "out"
steps = 10
batch_size = 4
precision = "no"
{extra}

[network]
autoencoder = "a"
prepared = "p"
noises = 1
"""
    + SMALL_MODEL
)


class Line(nn.Module):
    """A linear layer with a loss."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 32, bias=False)

    def forward(self, batch, rng) -> dict[str, torch.Tensor]:
        return {"loss": self.layer(batch["x"]).sum()}


def test_a_linear_layer_costs_two_products():
    """8 rows: 2 * 8 * 64 * 32 there, as much for the weight's gradient; its input is kept."""
    shapes = _Shapes(Line(), {"x": torch.zeros(8, 64)}, 8, "no")
    assert shapes.flops() == 2 * 2 * 8 * 64 * 32
    assert shapes.activation_bytes() == 8 * 64 * 4


def table(tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: str, *options: str) -> dict:
    path = tmp_path / "run.toml"
    path.write_text(TINY.format(extra=extra))
    assert main([str(path), "--size", "64x48", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "computed from shapes, not measured"
    return {line[:28].strip(): line[28:] for line in lines[:-1]}


@pytest.mark.slow
def test_a_run_is_computed_from_its_config_alone(tmp_path, capsys):
    whole = table(tmp_path, capsys, "")
    shared = table(tmp_path, capsys, "", "--processes", "2", "--gpu", "h100")
    parts = table(tmp_path, capsys, "accumulation = 2")
    assert float(whole["a step and process"].split()[0]) == pytest.approx(
        2.0 * float(shared["a step and process"].split()[0]), rel=0.3
    )
    assert whole["parameters"] == shared["parameters"]
    assert "2 x h100" in " ".join(shared)
    assert float(parts["activations"].split()[0]) <= float(whole["activations"].split()[0])


def test_a_run_of_no_pairs_is_refused(tmp_path, capsys):
    path = tmp_path / "run.toml"
    path.write_text("[run]\ndata = 'd'\noutput = 'o'\n[lifter]\n")
    assert main([str(path)]) == 2
    assert "trains no pairs" in capsys.readouterr().err
    assert TrainConfig.from_toml(path).run.steps == 10_000


@pytest.mark.parametrize("text", ["256", "256x", "255x176", "axb"])
def test_a_size_is_height_and_width(text):
    assert read_size("256X176") == (256, 176)
    with pytest.raises(ConfigError, match="multiples of 8"):
        read_size(text)
