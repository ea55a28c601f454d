"""Check a GPU in some minutes: `make gpu-check`, or `python -m training.gpu_check`.

The bundled network predicts on the device as on the CPU, in every precision; a training step is
timed and its memory measured beside what `training.estimate_cost` computes; a short training on one
batch must lower its loss. Without a GPU everything runs on the CPU, with less of it: a dry run.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from posexfer_core.errors import PoseXferError
from posexfer_core.files.atomic import write_whole
from posexfer_core.network.weights import BUNDLED_WEIGHTS

from .config import TrainConfig
from .console import command_parser, print_line, run_command
from .data.prepared import PLANES
from .estimate_cost import build_loss, estimate, pair_batch
from .sample_random import SampleRandom
from .tasks.network import TransferLoss
from .tasks.network_files import load_matching

CONFIG = Path(__file__).parent / "configs" / "tiny.toml"
LIMITS = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.02}
"""Largest error of a prediction in each precision, as a share of its largest value. float32 on a
GPU sums in another order, and convolutions may use TF32."""


class GpuCheckError(PoseXferError):
    """The device computes something else than the CPU, or does not learn."""


def main(arguments: list[str] | None = None) -> int:
    """Run every check and write what was measured."""
    parser = command_parser(__doc__, "training.gpu_check")
    found = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=found, help=f"what is checked (default {found})")
    parser.add_argument("--out", type=Path, help="write the numbers into this JSON file")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(torch.device(chosen.device), chosen.out))


def _run(device: torch.device, out: Path | None) -> None:
    on_gpu = device.type == "cuda"
    count, steps = (8, 50) if on_gpu else (1, 3)
    name = torch.cuda.get_device_name(device) if on_gpu else "CPU, a dry run"
    print_line(f"{name}, torch {torch.__version__}")
    config = TrainConfig.from_toml(CONFIG)
    batch = random_batch(config, count)
    errors = parity(config, batch, device)
    measured = short_training(config, batch, device, steps)
    if out is not None:
        numbers = {"device": name, "torch": torch.__version__, "largest_error": errors, **measured}
        write_whole(out, (json.dumps(numbers, indent=2) + "\n").encode())
    first, last = measured["loss_first"], measured["loss_last"]
    failed = [
        f"{dtype} is {errors[str(dtype)]:.1e} off"
        for dtype, limit in LIMITS.items()
        if not errors[str(dtype)] <= limit
    ]
    if not last < first:
        failed.append(f"the loss went from {first} to {last}")
    if failed:
        raise GpuCheckError(
            f"{name}: {', '.join(failed)}.\n"
            f"Expected errors of at most {list(LIMITS.values())} and a loss "
            "that falls.\nReport it with the lines above."
        )
    print_line("all checks passed")


def random_batch(config: TrainConfig, count: int) -> dict[str, Tensor]:
    """Fill a batch of pairs at 256x176 with noise of the right ranges."""
    generator = torch.Generator().manual_seed(0)
    batch = pair_batch(config, (256, 176), count)
    for name in ("image", "planes"):
        batch[name] = torch.randint(256, batch[name].shape, generator=generator, dtype=torch.uint8)
    for name in ("target_latents", "warp_latents"):
        batch[name] = torch.randn(batch[name].shape, generator=generator).half()
    batch["points"] = (2.0 * torch.rand(batch["points"].shape, generator=generator) - 1.0).half()
    assert batch["planes"].shape[1] == sum(PLANES.values())
    return batch


@torch.no_grad()
def parity(config: TrainConfig, batch: dict[str, Tensor], device: torch.device) -> dict[str, float]:
    """Compare the bundled network's prediction with the CPU's in float32.

    Returns:
        The largest error of each precision, as a share of the largest value.
    """
    model = build_loss(config)
    assert isinstance(model, TransferLoss)
    load_matching(model, BUNDLED_WEIGHTS)
    expected = _predict(model.eval(), batch, torch.device("cpu"), torch.float32)
    errors = {}
    for dtype in LIMITS:
        found = _predict(model.to(device), batch, device, dtype)
        error = float((found - expected).abs().max() / expected.abs().max())
        errors[str(dtype)] = error
        print_line(f"prediction in {dtype!s:16}{error:.1e} off the CPU's in float32")
    return errors


def _predict(
    model: TransferLoss, batch: dict[str, Tensor], device: torch.device, dtype: torch.dtype
) -> Tensor:
    placed = {name: tensor.to(device) for name, tensor in batch.items()}
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        condition = model.network.condition(model.inputs(placed))
        steps = torch.full((len(placed["image"]),), 500, device=device)
        found = model.predict(placed["target_latents"].float(), steps, condition)
    return found.float().cpu()


def short_training(
    config: TrainConfig, batch: dict[str, Tensor], device: torch.device, steps: int
) -> dict[str, float]:
    """Train on one batch with the same noise at every step, in bf16 on a GPU, and measure.

    Returns:
        Seconds a step, samples a second, GiB at most, FLOPs a second, first and last loss.
    """
    count, on_gpu = len(batch["image"]), device.type == "cuda"
    torch.manual_seed(0)
    model = build_loss(config).to(device)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-4)
    placed = {name: tensor.to(device) for name, tensor in batch.items()}
    losses, clock = [], 0.0
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    for step in range(steps + 1):
        if step == 1:  # the first one chooses kernels
            clock = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
            loss = model(placed, SampleRandom.seeded(0, range(count)))["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    seconds = (time.perf_counter() - clock) / steps
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if on_gpu else 0.0
    run = replace(
        config.run, batch_size=count, accumulation=1, precision="bf16" if on_gpu else "no"
    )
    cost = estimate(replace(config, run=run), (256, 176))
    print_line(
        f"training: {seconds:.3f} s a step of {count}, {count / seconds:.1f} samples/s, "
        f"{cost.flops / seconds / 1e12:.3f} TFLOPS reached"
    )
    if memory:
        computed = (cost.state_bytes + cost.activation_bytes) / 2**30
        print_line(f"memory: {memory:.2f} GiB measured; {computed:.2f} GiB computed")
    print_line(f"loss of one batch: {losses[0]:.4f}, after {steps} steps {losses[-1]:.4f}")
    return {
        "seconds_per_step": seconds,
        "samples_per_second": count / seconds,
        "memory_gib": memory,
        "tflops": cost.flops / seconds / 1e12,
        "loss_first": losses[0],
        "loss_last": losses[-1],
    }


if __name__ == "__main__":
    sys.exit(main())
