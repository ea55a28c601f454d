"""Exponential moving average of the trained parameters, sharded as they are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """The average that is sampled, validated and exported.

    The average follows closely at first: `average = lerp(average, parameter, 1 - d)` with
    `d = min(decay, (1 + n) / (10 + n))` after `n` steps.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.parameters, self.decay = dict(parameters), decay
        self.values = {
            name: parameter.detach().clone(memory_format=torch.preserve_format).float()
            if parameter.dtype in (torch.float16, torch.bfloat16)
            else parameter.detach().clone(memory_format=torch.preserve_format)
            for name, parameter in self.parameters.items()
        }
        """By the parameters' names; floats of at least 32 bits."""

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the parameters after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in self.values.items():
            value.lerp_(self.parameters[name].detach().to(value.dtype), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the parameters their averages within a `with`, and put them back bit for bit."""
        with torch.no_grad():
            trained = {name: p.detach().clone() for name, p in self.parameters.items()}
            self._assign(self.values)
        try:
            yield
        finally:
            self._assign(trained)

    @torch.no_grad()
    def _assign(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(values[name])


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """List what a run changes: parameters that require a gradient."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
