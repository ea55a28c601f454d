"""What a run trains, as the trainer sees it."""

from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .sample_random import SampleRandom


class Task(Protocol):
    """What a run trains."""

    model: nn.Module
    """Holds every trained parameter; its forward takes a batch and a `SampleRandom` and returns
    losses by name, each a mean over the samples; `loss` is minimised."""

    def __len__(self) -> int:
        """Count the samples; those held out for validation are the last."""
        ...

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Load samples; what is random of each is drawn from its own generator."""
        ...

    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Draw a sheet that shows what the averaged model does now."""
        ...

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write the averaged model as a bundle."""
        ...


def load_batch(
    task: Task, indices: list[int], rng: SampleRandom, device: torch.device
) -> dict[str, Tensor]:
    """Load samples onto a device."""
    return {name: tensor.to(device) for name, tensor in task.batch(indices, rng).items()}
