"""What one training step over Stable Diffusion 1.5 costs on a CPU, beside one plain forward.

Random weights, the `sd15` preset, one pair at 256x176 (32x22 latents, cached), the base frozen and
the whole adapter trained by AdamW with its average kept. The plain UNet gets the same latents in
the same run; the two take turns, so that whatever else the machine does hits both.

Run it as `python -m tests.benchmarks.sd15_train_step`; it needs about 7 GB of memory.
"""

import argparse
import resource
import sys
from pathlib import Path
from statistics import median

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from posexfer_core.diffusion.schedule import make_scheduler
from posexfer_core.diffusion.text import TextContext
from posexfer_core.network.config import NetworkConfig
from tests.benchmarks.sd15_step import (
    CLIP_TOKENS,
    HEIGHT,
    TEXT_TOKENS,
    WIDTH,
    milliseconds,
)
from training.averaging import AveragedWeights, trained_parameters
from training.config import NetworkTraining
from training.data.prepared import PLANES
from training.optimizer import make_optimizer
from training.run_config import RunConfig
from training.sample_random import SampleRandom
from training.tasks.frozen_base import FrozenBase
from training.tasks.network import TransferLoss
from training.trainer import checkpoint_activations

MOST, MOST_GB = 6.0, 9.0
"""The ratio and the peak of memory that must not be exceeded."""


def main() -> int:
    """Print seconds, their ratio and the peak of memory; return 1 where one is too high."""
    parser = argparse.ArgumentParser(description="Time a training step beside a forward pass.")
    parser.add_argument("--rounds", type=int, default=3, help="timed steps of each (default: 3)")
    parser.add_argument("--checkpointing", action="store_true", help="of the UNet's activations")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    config = NetworkConfig.sd15()
    unet = UNet2DConditionModel(**config.unet.diffusers_config()).eval().requires_grad_(False)
    text = TextContext(tokens=torch.randn(1, TEXT_TOKENS, config.unet.cross_attention_dim))
    base = FrozenBase(unet, text, make_scheduler("epsilon"))
    settings = NetworkTraining(prepared=Path("none"), noises=1)
    loss = TransferLoss(config, settings, base)
    if chosen.checkpointing:
        checkpoint_activations(loss)
    parameters = trained_parameters(loss)
    optimizer = make_optimizer(parameters, RunConfig(data=Path("none"), output=Path("none")))
    average = AveragedWeights(parameters, 0.999)
    batch = random_batch(config)

    def forward() -> None:
        with torch.no_grad():
            unet(batch["target_latents"], 500, encoder_hidden_states=text.tokens)

    def step() -> None:
        loss(batch, SampleRandom.seeded(0, [0]))["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
        average.update(1)

    times = []
    for _ in range(1 + chosen.rounds):
        base.attachment.detach()
        times.append((milliseconds(forward) / 1e3, milliseconds(step) / 1e3))
    return report(times[1:], sum(parameter.numel() for parameter in parameters.values()))


def random_batch(config: NetworkConfig) -> dict[str, Tensor]:
    """Make a prepared pair of the right shapes; its values do not matter for time."""
    latents = torch.randn(1, config.latent_channels, HEIGHT // 8, WIDTH // 8)
    return {
        "image": torch.randint(256, (1, HEIGHT, WIDTH, 3), dtype=torch.uint8),
        "planes": torch.randint(256, (1, sum(PLANES.values()), HEIGHT, WIDTH), dtype=torch.uint8),
        "points": torch.rand(1, config.points, 3) * 2.0 - 1.0,
        "target_latents": latents,
        "warp_latents": latents,
        "source_latents": latents,
        "clip_hidden": torch.randn(1, CLIP_TOKENS, config.clip_width),
        "rotations": torch.eye(3).expand(1, 24, 3, 3),
        "betas": torch.zeros(1, 10),
    }


def report(times: list[tuple[float, float]], trained: int) -> int:
    """Print medians; each step is compared to the forward pass just before it."""
    plain, steps = zip(*times, strict=True)
    ratio = median(own / base for base, own in times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(
        f"threads                  {torch.get_num_threads():8d}\n"
        f"trained parameters       {trained / 1e6:8.1f} million\n"
        f"plain UNet, one forward  {median(plain):8.2f} s   (best {min(plain):.2f})\n"
        f"one training step        {median(steps):8.2f} s   (best {min(steps):.2f})\n"
        f"ratio, median of {len(times):3d}     {ratio:8.2f}     (at most {MOST})\n"
        f"peak memory              {peak:8.2f} GB  (at most {MOST_GB})\n"
    )
    return 0 if ratio <= MOST and peak <= MOST_GB else 1


if __name__ == "__main__":
    sys.exit(main())
