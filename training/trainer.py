"""The training loop: one for every task, on any number of devices, resumed exactly."""

import json
import logging
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from posexfer_core.files.images import save_image

from .checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from .config import RunConfig
from .sample_random import SampleRandom, sample_order

logger = logging.getLogger(__name__)


class Task(Protocol):
    """What a run trains."""

    model: nn.Module
    """Holds every trained parameter; its forward takes a batch and a `SampleRandom` and returns
    losses by name, each a mean over the samples; `loss` is minimised."""

    def __len__(self) -> int:
        """Count the training examples."""
        ...

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Load examples; what is random of each is drawn from its own generator."""
        ...

    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Draw a sheet that shows what the averaged model does now."""
        ...

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write the averaged model as a bundle."""
        ...


def train(task: Task, run: RunConfig, recipe: dict[str, object]) -> Path:
    """Run a task to its last step and return the bundle it wrote.

    Goes on from the newest checkpoint in the output folder. The examples, noises and dropouts of a
    step depend on the seed and the step alone, however many processes share them.
    """
    accelerator = Accelerator(mixed_precision=run.precision, cpu=not torch.cuda.is_available())
    set_seed(run.seed)
    model = accelerator.prepare_model(task.model)
    plain = accelerator.unwrap_model(model)
    average = AveragedModel(plain, multi_avg_fn=_average_with_warmup(run.ema_decay))
    optimizer = _optimizer(plain, run)
    checkpoints = run.output / "checkpoints"
    start = 0
    if (newest := newest_checkpoint(checkpoints)) is not None:
        start = load_checkpoint(newest, plain, average, optimizer)
        logger.info("Going on from step %d.", start)
    bundle = run.output / "bundle.safetensors"
    with _Record(run, accelerator, start) as record:
        for step in tqdm(
            range(start, run.steps), initial=start, total=run.steps, disable=not record.active
        ):
            set_learning_rate(optimizer, learning_rate_at(step, run))
            places = _places(run, step, accelerator)
            indices = sample_order(len(task), run.seed, places)
            rng = SampleRandom.seeded(run.seed, places)
            batch = {
                name: tensor.to(accelerator.device)
                for name, tensor in task.batch(indices, rng).items()
            }
            with accelerator.autocast():
                losses = model(batch, rng)
            accelerator.backward(losses["loss"])
            accelerator.clip_grad_norm_(plain.parameters(), run.clip_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            average.update_parameters(plain)
            done = step + 1
            record.losses(done, losses)
            if record.active and (done % run.save_every == 0 or done == run.steps):
                save_checkpoint(checkpoints, done, plain, average, optimizer)
            if record.active and (done % run.sample_every == 0 or done == run.steps):
                sheet = task.sample(average.module)
                save_image(sheet[None], run.output / "samples" / f"step-{done:07d}.png")
        if record.active:
            about = {**recipe, "steps": run.steps, "seed": run.seed}
            task.export(average.module, bundle, about)
    accelerator.wait_for_everyone()
    return bundle


def learning_rate_at(step: int, run: RunConfig) -> float:
    """Rise linearly, stay, fall linearly to zero at the last step."""
    rise = min(1.0, (step + 1) / max(1, run.warmup_steps))
    fall = min(1.0, (run.steps - step) / max(1, run.decay_steps))
    return run.learning_rate * min(rise, fall)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the same rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _average_with_warmup(decay: float):
    """Follow the weights closely at first: decay_n = min(decay, (1 + n) / (10 + n))."""

    def update(averages: PARAM_LIST, currents: PARAM_LIST, count: Tensor | int) -> None:
        n = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averages, currents, count)

    return update


def _optimizer(model: nn.Module, run: RunConfig) -> torch.optim.AdamW:
    """Decay matrices and kernels; leave biases, norms and single tokens alone."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": run.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=run.learning_rate, betas=(0.9, 0.99))


def _places(run: RunConfig, step: int, accelerator: Accelerator) -> range:
    """Choose this process's part of a step in the stream of samples."""
    share = run.batch_size // accelerator.num_processes
    first = step * run.batch_size + accelerator.process_index * share
    return range(first, first + share)


class _Record(AbstractContextManager["_Record"]):
    """Losses and speed, to the log file and TensorBoard, from the main process alone."""

    def __init__(self, run: RunConfig, accelerator: Accelerator, start: int) -> None:
        self.active = accelerator.is_main_process
        self.run, self.start, self.sums, self.count = run, start, {}, 0
        self.clock = time.perf_counter()
        if self.active:
            from torch.utils.tensorboard import SummaryWriter

            for name in ("samples", "checkpoints"):
                (run.output / name).mkdir(parents=True, exist_ok=True)
            self.board = SummaryWriter(str(run.output / "tensorboard"), purge_step=start)
            self.file = (run.output / "log.jsonl").open("a")

    def losses(self, done: int, losses: dict[str, Tensor]) -> None:
        """Average over `log_every` steps; read from the device only then."""
        if not self.active:
            return
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()
        self.count += 1
        if done % self.run.log_every and done != self.run.steps:
            return
        means = {name: float(total) / self.count for name, total in self.sums.items()}
        elapsed = time.perf_counter() - self.clock
        means["images_per_second"] = self.count * self.run.batch_size / elapsed
        for name, value in means.items():
            self.board.add_scalar(name, value, done)
        self.file.write(json.dumps({"step": done, **means}) + "\n")
        self.file.flush()
        self.sums, self.count, self.clock = {}, 0, time.perf_counter()

    def __exit__(self, *_: object) -> None:
        """Finish the files."""
        if self.active:
            self.board.close()
            self.file.close()
