"""The loss on samples that are not trained on, over all processes."""

import torch
from accelerate import Accelerator
from torch import nn
from torch.distributed.fsdp import FSDPModule

from .averaging import AveragedWeights
from .sample_random import SampleRandom
from .task import Task, load_batch


@torch.no_grad()
def validation_loss(
    accelerator: Accelerator,
    task: Task,
    model: nn.Module,
    average: AveragedWeights,
    *,
    held_out: int,
    at_once: int,
) -> float:
    """Average the loss of the averaged weights over the last `held_out` samples.

    Their noises are the same every time. Every process calls the model equally often, since the
    processes of a sharded model wait for each other in every call; where the batches do not come
    out even, some are computed by two processes and counted once.
    """
    first = len(task) - held_out
    batches = [range(held_out)[at : at + at_once] for at in range(0, held_out, at_once)]
    total = torch.zeros(2, device=accelerator.device, dtype=torch.float64)
    model.eval()
    with average.applied():
        for turn in range(-(-len(batches) // accelerator.num_processes)):
            number = turn * accelerator.num_processes + accelerator.process_index
            places = batches[number % len(batches)]
            rng = SampleRandom.seeded(0, places)
            batch = load_batch(task, [first + place for place in places], rng, accelerator.device)
            loss = model(batch, rng)["loss"]
            if number < len(batches):
                total += len(places) * torch.stack([loss.double(), torch.ones_like(loss).double()])
        _let_go_of_whole_weights(model)
    model.train()
    total = accelerator.reduce(total, "sum")
    return float(total[0] / total[1])


def _let_go_of_whole_weights(model: nn.Module) -> None:
    """Have FSDP gather weights anew: it keeps some for a way back, which here never comes."""
    for part in model.modules():
        if isinstance(part, FSDPModule):
            part.reshard()
