"""What our network adds to one guided step of Stable Diffusion 1.5 on a CPU.

Random weights, the `sd15` preset, a 256x176 picture (32x22 latents), three branches in one batch.
The plain UNet gets the same batch in the same run; the two take turns, so that whatever else the
machine does hits both. What is computed once per picture is timed apart.

Run it as `python -m tests.benchmarks.sd15_step`; it needs about 6 GB of memory.
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from posexfer_core.diffusion.attach import attach
from posexfer_core.diffusion.guidance import Guidance, branch_condition, guided_prediction
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork

HEIGHT, WIDTH = 256, 176
TEXT_TOKENS = 77
CLIP_TOKENS = 257
STEP = 500
MOST = 1.15
"""The ratio that must not be exceeded."""


@torch.no_grad()
def main() -> int:
    """Print milliseconds and their ratio; return 1 where it is too high."""
    parser = argparse.ArgumentParser(description="Time a guided step beside a plain one.")
    parser.add_argument("--rounds", type=int, default=8, help="timed steps of each (default: 8)")
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    config = NetworkConfig.sd15()
    unet = UNet2DConditionModel(**config.unet.diffusers_config()).eval()
    network = PoseTransferNetwork(config).eval()
    inputs, guidance = random_inputs(config), Guidance(pose=2.0, identity=3.0)
    sample = torch.randn(1, config.latent_channels, HEIGHT // 8, WIDTH // 8)
    context = torch.randn(1, TEXT_TOKENS, config.unet.cross_attention_dim)
    branches = len(guidance.weights)
    batch = sample.repeat(branches, 1, 1, 1), STEP, context.repeat(branches, 1, 1)
    once, plain, guided = [], [], []
    for _ in range(1 + rounds):  # the first round warms up
        plain.append(milliseconds(lambda: unet(*batch)))
        with attach(unet, network) as at:
            once.append(
                milliseconds(lambda: at.set_condition(branch_condition(network, inputs, guidance)))
            )
            guided.append(
                milliseconds(lambda: guided_prediction(at, guidance, sample, STEP, context))
            )
    return report(once[1:], plain[1:], guided[1:])


def random_inputs(config: NetworkConfig) -> ConditionInputs:
    """Make inputs of the right shapes; their values do not matter for time."""
    latents = torch.randn(1, config.latent_channels, HEIGHT // 8, WIDTH // 8)
    return ConditionInputs(
        picture=torch.randn(1, 3, HEIGHT, WIDTH),
        source_maps=torch.randn(1, 4, HEIGHT, WIDTH),
        points=torch.rand(1, config.points, 3) * 2.0 - 1.0,
        points_canonical=torch.randn(1, config.points, 3),
        maps={name: torch.randn(1, count, HEIGHT, WIDTH) for name, count in MAP_CHANNELS.items()},
        draft_latents=latents,
        clip_hidden=torch.randn(1, CLIP_TOKENS, config.clip_width),
        source_latents=latents,
    )


def milliseconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def report(once: list[float], plain: list[float], guided: list[float]) -> int:
    """Print the best time of each, since other work on the machine only ever adds to one."""
    ratio = min(guided) / min(plain)
    sys.stdout.write(
        f"threads                         {torch.get_num_threads():8d}\n"
        f"plain UNet, batch of 3          {min(plain):8.0f} ms  (median {median(plain):.0f})\n"
        f"guided step, three branches     {min(guided):8.0f} ms  (median {median(guided):.0f})\n"
        f"ratio of the best               {ratio:8.3f}     (at most {MOST})\n"
        f"once per picture: condition, kv {min(once):8.0f} ms  (median {median(once):.0f})\n"
    )
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
