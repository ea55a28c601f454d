"""Compute what a step of a run costs: `python -m training.estimate_cost RUN.toml`.

Nothing is trained and no data is read: shapes alone go through the model. Everything printed is
computed, not measured.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from posexfer_core.errors import ConfigError
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.noise_schedule import alpha_bar_at

from .accelerator import samples_at_once
from .averaging import trained_parameters
from .config import NetworkTraining, PairTraining, PriorHeadTraining, TrainConfig
from .console import command_parser, print_line, run_command
from .data.prepared import PLANES
from .sample_random import SampleRandom
from .tasks.frozen_base import DTYPES, FrozenBase
from .tasks.network import PairLoss, TransferLoss
from .tasks.network_files import configure
from .tasks.prior_head import PriorHeadLoss
from .trainer import checkpoint_activations

PEAK_TFLOPS = {"a100": 312.0, "h100": 989.0, "l40s": 362.0, "rtx4090": 165.0, "rtx3090": 71.0}
"""Dense bf16 throughput with sums in float32, by the makers' data sheets."""
MOMENT_BYTES = {"adamw": 8, "adamw8bit": 2, "sgd": 0}
"""Of the optimiser's state, for each trained parameter."""
CLIP_TOKENS = 257
"""Of ViT-L/14 at 224 pixels."""
GIB = 2.0**30


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """What one process needs for one step."""

    parameters: int
    """All of them, but for a base's."""
    trained: int
    """Those that are trained."""
    state_bytes: int
    """Parameters, gradients, moments and averages, and the UNet of a base."""
    activation_bytes: int
    """What is kept for the way back of the samples that are computed at once."""
    flops: int
    """Of the whole step, there and back, all parts of this process's share."""


def main(arguments: list[str] | None = None) -> int:
    """Print the table of a run."""
    parser = command_parser(__doc__, "training.estimate_cost")
    parser.add_argument("config", type=Path, help="TOML with a [network] or [prior_head] section")
    parser.add_argument("--size", default="256x176", help="height x width (default 256x176)")
    parser.add_argument("--processes", type=int, default=1, help="GPUs that share a batch")
    parser.add_argument(
        "--gpu", choices=sorted(PEAK_TFLOPS), default="a100", help="whose time is computed"
    )
    parser.add_argument(
        "--utilisation",
        type=float,
        default=0.3,
        help="share of its peak that is reached (default 0.3; measure yours by make gpu-check)",
    )
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    config = TrainConfig.from_toml(chosen.config)
    if not 0.0 < chosen.utilisation <= 1.0:
        raise ConfigError(
            f"--utilisation is {chosen.utilisation}.\nExpected a share above 0, at most 1.\n"
            "0.3 is usual; `make gpu-check` measures it."
        )
    cost = estimate(config, read_size(chosen.size), chosen.processes)
    peak = PEAK_TFLOPS[chosen.gpu]
    seconds = cost.flops / (chosen.utilisation * peak * 1e12)
    hours = seconds * config.run.steps / 3600.0
    for name, text in (
        (
            "parameters",
            f"{cost.parameters / 1e6:.1f} M, of which {cost.trained / 1e6:.1f} M trained",
        ),
        ("weights and optimiser", f"{cost.state_bytes / GIB:.2f} GiB"),
        ("activations", f"{cost.activation_bytes / GIB:.2f} GiB"),
        (
            "memory, without workspace",
            f"{(cost.state_bytes + cost.activation_bytes) / GIB:.2f} GiB",
        ),
        ("a step and process", f"{cost.flops / 1e12:.3f} TFLOP"),
        (
            f"time on {chosen.processes} x {chosen.gpu}",
            f"{seconds:.4f} s a step, {hours:.2f} h for {config.run.steps} steps, at "
            f"{chosen.utilisation:.0%} of {peak:.0f} TFLOPS",
        ),
    ):
        print_line(f"{name:28}{text}")
    print_line("computed from shapes, not measured")


def read_size(text: str) -> tuple[int, int]:
    """Read "HxW".

    Raises:
        ConfigError: it is something else, or no multiple of 8.
    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) % 8 == 0 for part in parts):
        raise ConfigError(
            f"--size is {text!r}.\nExpected height x width, multiples of 8.\nGive 256x176."
        )
    return int(parts[0]), int(parts[1])


def estimate(config: TrainConfig, size: tuple[int, int], processes: int = 1) -> StepCost:
    """Send shapes through one step.

    Args:
        config: of the run.
        size: height and width of the images.
        processes: that share a batch.

    Raises:
        ConfigError: the run trains no pairs.
    """
    run, at_once = config.run, samples_at_once(config.run, processes)
    model = build_loss(config)
    if run.gradient_checkpointing:
        checkpoint_activations(model)
    alpha_bar_at(torch.zeros(1))  # kept; within the mode it would be kept as a shape alone
    shapes = _Shapes(model, pair_batch(config, size, at_once), at_once, run.precision)
    trained = sum(parameter.numel() for parameter in trained_parameters(model).values())
    parameters = sum(parameter.numel() for parameter in model.parameters())
    base = model.base if isinstance(model, PairLoss) else None
    frozen = 0 if base is None else sum(p.nbytes for p in base.unet.parameters())
    return StepCost(
        parameters=parameters,
        trained=trained,
        state_bytes=4 * parameters + (8 + MOMENT_BYTES[run.optimizer]) * trained + frozen,
        activation_bytes=shapes.activation_bytes(),
        flops=run.accumulation * shapes.flops(),
    )


def build_loss(config: TrainConfig) -> nn.Module:
    """Build what a run trains, with weights that do not matter."""
    match config.task:
        case NetworkTraining():
            base = None if config.base is None else FrozenBase.load(config.base)
            return TransferLoss(configured(config), config.task, base)
        case PriorHeadTraining():
            return PriorHeadLoss(configured(config), config.task)
    raise ConfigError(
        "This run trains no pairs.\nExpected a [network] or [prior_head] section.\n"
        "The others are small: their cost is measured in minutes."
    )


def configured(config: TrainConfig) -> NetworkConfig:
    """Configure the network of a run of pairs, as its task does."""
    start = config.task.start if isinstance(config.task, PairTraining) else None
    start = start if start is not None and start.is_file() else None
    return configure(config.model, config.base, start)


def pair_batch(config: TrainConfig, size: tuple[int, int], count: int) -> dict[str, Tensor]:
    """Make a batch of prepared pairs of the right shapes."""
    network = configured(config)
    height, width = size
    latents = (count, network.latent_channels, height // 8, width // 8)
    seen = {}
    if network.encoder == "clip":
        seen["clip_hidden"] = torch.zeros(count, CLIP_TOKENS, network.clip_width).half()
        seen["source_latents"] = torch.zeros(latents, dtype=torch.float16)
    return {
        **seen,
        "image": torch.zeros(count, height, width, 3, dtype=torch.uint8),
        "planes": torch.zeros(count, sum(PLANES.values()), height, width, dtype=torch.uint8),
        "target_latents": torch.zeros(latents, dtype=torch.float16),
        "warp_latents": torch.zeros(latents, dtype=torch.float16),
        "points": torch.zeros(count, network.points, 3, dtype=torch.float16),
        "rotations": torch.eye(3).expand(count, 24, 3, 3).contiguous(),
        "betas": torch.zeros(count, 10),
    }


class _Shapes:
    """A step of which only the shapes are computed."""

    def __init__(
        self, model: nn.Module, batch: dict[str, Tensor], count: int, precision: str
    ) -> None:
        self.model, self.count, self.precision = model, count, precision
        self.mode = FakeTensorMode(allow_non_fake_inputs=True)
        held = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        self.state: dict[str, Tensor] = {
            name: self.mode.from_tensor(tensor) for name, tensor in held.items()
        }
        self.batch: dict[str, Tensor] = {
            name: self.mode.from_tensor(tensor) for name, tensor in batch.items()
        }

    def flops(self) -> int:
        """Count there and back; attention as the matrix products that it is."""
        counter = FlopCounterMode(display=False)
        with self.mode, counter, sdpa_kernel(SDPBackend.MATH):
            self._loss().backward()
        return counter.get_total_flops()

    def activation_bytes(self) -> int:
        """Add up what is kept for the way back, each storage once; attention keeps no matrix."""
        own = {id(tensor.untyped_storage()) for tensor in self.state.values()}
        kept: dict[int, tuple[torch.UntypedStorage, int]] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if id(storage) not in own:
                kept[storage._cdata] = (storage, storage.nbytes())
            return tensor

        with self.mode, saved_tensors_hooks(keep, lambda tensor: tensor):
            self._loss()
        return sum(size for _, size in kept.values())

    def _loss(self) -> Tensor:
        rng = SampleRandom.seeded(0, range(self.count))
        lowered = self.precision != "no"
        dtype = DTYPES[self.precision] if lowered else None
        with torch.autocast("cpu", dtype, enabled=lowered):
            return functional_call(self.model, self.state, (self.batch, rng))["loss"]


if __name__ == "__main__":
    sys.exit(main())
