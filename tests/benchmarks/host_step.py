"""What our patch adds to one sampling step of ComfyUI's own UNet, SD 1.5-shaped, on the CPU.

Random weights, the `sd15` preset, a 256x176 image (32x22 latents), three branches in one batch.
The plain MODEL gets the same batch in the same run; the two take turns. Time is that of the
process, so that other work on the machine counts less. About 9 GB of memory; with a checkout at
$COMFYUI_PATH or ~/ComfyUI: `OMP_NUM_THREADS=1 .venv-host/bin/python -m tests.benchmarks.host_step`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

from tests.nodes.host_process import Pack, load_pack, open_host

SIZE = (32, 22)
TEXT_TOKENS, CLIP_TOKENS = 77, 257
MOST = 1.15
"""The ratio that must not be exceeded."""


@torch.inference_mode()
def main() -> int:
    """Print milliseconds and their ratio; return 1 where it is too high."""
    parser = argparse.ArgumentParser(description="Time a patched step beside a plain one.")
    parser.add_argument("--rounds", type=int, default=6, help="timed steps of each (default: 6)")
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        pack = load_pack(open_host(Path(folder)))
        model, patched = models(pack)
        plain, patched = step_of(pack, model), step_of(pack, patched)
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(1 + rounds):
            for step, kept in zip((plain, patched), times, strict=True):
                taken = milliseconds(step)
                if number:  # the first round warms up, and projects keys and values
                    kept.append(taken)
    return report(*times)


def models(pack: Pack) -> tuple[Any, Any]:
    """Build a MODEL of SD 1.5's shape with random weights, and the same, patched."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    hosted, attaching = pack.module("nodes.host.models"), pack.module("nodes.host.attach")
    config = pack.module("posexfer_core.network.config").NetworkConfig.sd15()
    network = pack.module("posexfer_core.network.model").PoseTransferNetwork(config)
    for parameter in network.parameters():  # what starts at zero would be no fair work
        parameter.copy_(0.02 * torch.randn_like(parameter))
    state = UNet2DConditionModel(**config.unet.diffusers_config()).state_dict()
    model = hosted.make_unet(config.unet, state, velocity=False)
    guidance = pack.module("posexfer_core.network.guidance")
    inputs = random_inputs(pack, config)
    patched = attaching.attach(
        model,
        hosted.PoseTransferModel.of("random", network.eval()),
        lambda size, branches, device: guidance.stacked_condition(network, inputs, branches),
        pack.module("nodes.host.control_patch").Strengths(),
    )
    return model, patched


def random_inputs(pack: Pack, config: Any) -> Any:
    """Make inputs of the right shapes; their values do not matter for time."""
    height, width = (8 * side for side in SIZE)
    channels = pack.module("posexfer_core.network.config").MAP_CHANNELS
    latents = torch.randn(1, config.latent_channels, *SIZE)
    return pack.module("posexfer_core.network.condition").ConditionInputs(
        image=torch.randn(1, 3, height, width),
        source_maps=torch.randn(1, 4, height, width),
        points=torch.rand(1, config.points, 3) * 2.0 - 1.0,
        points_canonical=torch.randn(1, config.points, 3),
        maps={name: torch.randn(1, count, height, width) for name, count in channels.items()},
        warp_latents=latents,
        clip_hidden=torch.randn(1, CLIP_TOKENS, config.clip_width),
        source_latents=latents,
    )


def step_of(pack: Pack, model: Any) -> Callable[[], torch.Tensor]:
    """Predict for three branches in one batch, as the host's samplers call a MODEL."""
    control = pack.module("nodes.host.control_patch")
    branches = pack.module("posexfer_core.network.guidance")
    config = pack.module("posexfer_core.network.config").NetworkConfig.sd15()
    x = torch.randn(1, config.latent_channels, *SIZE).repeat(3, 1, 1, 1)
    context = torch.randn(1, TEXT_TOKENS, config.unet.cross_attention_dim).repeat(3, 1, 1)
    sigma = model.get_model_object("model_sampling").sigma(torch.tensor([500.0])).expand(3)
    options = {
        **model.model_options["transformer_options"],
        "wrappers": model.wrappers,
        "cond_or_uncond": [0, 1, 2],
        "sigmas": sigma,
        control.BRANCHES: (branches.FULL, branches.POSE, branches.NONE),
    }
    return lambda: model.model.apply_model(
        x, sigma, c_crossattn=context, transformer_options=options
    )


def milliseconds(call: Callable[[], object]) -> float:
    """Time one call by the work of this process."""
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)


def report(plain: list[float], patched: list[float]) -> int:
    """Print the best time of each, since other work on the machine only ever adds to one."""
    ratio = min(patched) / min(plain)
    sys.stdout.write(
        f"threads                       {torch.get_num_threads():8d}\n"
        f"plain MODEL, batch of 3       {min(plain):8.0f} ms  (median {median(plain):.0f})\n"
        f"patched MODEL, the same batch {min(patched):8.0f} ms  (median {median(patched):.0f})\n"
        f"ratio of the best             {ratio:8.3f}     (at most {MOST})\n"
    )
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
