"""What our network adds to one guided step of Stable Diffusion 1.5 on a CPU.

Random weights, the `sd15` preset, a 256x176 image (32x22 latents), three branches in one batch.
The plain UNet gets the same batch in the same run; the two take turns, so that whatever else the
machine does hits both. What is computed once per image is timed apart.

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
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig
from posexfer_core.network.guidance import Guidance, stacked_condition
from posexfer_core.network.model import PoseTransferNetwork

HEIGHT, WIDTH = 256, 176
TEXT_TOKENS = 77
CLIP_TOKENS = 257
STEP = 500
PREPARATIONS = 3
MOST = 1.15
"""The ratio that must not be exceeded."""


@torch.no_grad()
def main() -> int:
    """Print milliseconds and their ratio; return 1 where it is too high."""
    parser = argparse.ArgumentParser(description="Time a guided step beside a plain one.")
    parser.add_argument("--rounds", type=int, default=12, help="timed steps of each (default: 12)")
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    config = NetworkConfig.sd15()
    plain, conditioned = unets_that_share(config)
    network = PoseTransferNetwork(config).eval()
    inputs, guidance = random_inputs(config), Guidance(pose=2.0, identity=3.0)
    sample = torch.randn(1, config.latent_channels, HEIGHT // 8, WIDTH // 8)
    context = torch.randn(1, TEXT_TOKENS, config.unet.cross_attention_dim)
    branches = len(guidance.weights)
    batch = sample.repeat(branches, 1, 1, 1), STEP, context.repeat(branches, 1, 1)
    times: list[tuple[float, float]] = []
    with attach(conditioned, network) as at:

        def prepare() -> None:
            at.set_condition(stacked_condition(network, inputs, guidance.weights))

        once = [milliseconds(prepare) for _ in range(1 + PREPARATIONS)][1:]
        for _ in range(1 + rounds):
            base = milliseconds(lambda: plain(*batch))
            own = milliseconds(lambda: at.predict_guided(guidance, sample, STEP, context))
            times.append((base, own))
    return report(once, *zip(*times[1:], strict=True))  # the first round warms up


def unets_that_share(config: NetworkConfig) -> tuple[UNet2DConditionModel, UNet2DConditionModel]:
    """Make two UNets with the same random weights, in memory once."""
    plain = UNet2DConditionModel(**config.unet.diffusers_config()).eval()
    with torch.device("meta"):
        other = UNet2DConditionModel(**config.unet.diffusers_config()).eval()
    other.load_state_dict(plain.state_dict(), assign=True)
    return plain, other


def random_inputs(config: NetworkConfig) -> ConditionInputs:
    """Make inputs of the right shapes; their values do not matter for time."""
    latents = torch.randn(1, config.latent_channels, HEIGHT // 8, WIDTH // 8)
    return ConditionInputs(
        image=torch.randn(1, 3, HEIGHT, WIDTH),
        source_maps=torch.randn(1, 4, HEIGHT, WIDTH),
        points=torch.rand(1, config.points, 3) * 2.0 - 1.0,
        points_canonical=torch.randn(1, config.points, 3),
        maps={name: torch.randn(1, count, HEIGHT, WIDTH) for name, count in MAP_CHANNELS.items()},
        warp_latents=latents,
        clip_hidden=torch.randn(1, CLIP_TOKENS, config.clip_width),
        source_latents=latents,
    )


def milliseconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def report(once: list[float], plain: tuple[float, ...], guided: tuple[float, ...]) -> int:
    """Print medians; each guided step is compared to the plain one just before it."""
    ratio = median(own / base for own, base in zip(guided, plain, strict=True))
    sys.stdout.write(
        f"threads                         {torch.get_num_threads():8d}\n"
        f"plain UNet, batch of 3          {median(plain):8.0f} ms  (best {min(plain):.0f})\n"
        f"guided step, three branches     {median(guided):8.0f} ms  (best {min(guided):.0f})\n"
        f"ratio, median of {len(plain):3d} pairs      {ratio:8.3f}     (at most {MOST})\n"
        f"once per image: condition, kv {median(once):8.0f} ms\n"
    )
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
