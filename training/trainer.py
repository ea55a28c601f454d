"""The training loop: one for every task, on any number of devices, resumed exactly."""

import copy
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor, nn
from tqdm import tqdm

from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import make_folder, write_whole
from posexfer_core.files.images import save_image

from .accelerator import samples_at_once
from .averaging import AveragedWeights, trained_parameters
from .checkpoint import (
    TorchMoments,
    TrainingState,
    load_checkpoint,
    newest_checkpoint,
    remove_leftovers,
    save_checkpoint,
    whole_tensors,
)
from .finite import check_finite
from .model_card import write_model_card
from .optimizer import learning_rate_share, make_optimizer, set_learning_rates
from .run_config import RunConfig
from .run_log import logged, start_log
from .sample_random import SampleRandom, sample_order
from .task import Task, load_batch
from .validation import validation_loss
from .zero import ZeroMoments

logger = logging.getLogger(__name__)
RECIPE = "recipe.json"
"""In a run's folder: its configuration and what it is trained on, for `training.export`."""


def train(accelerator: Accelerator, task: Task, run: RunConfig, recipe: dict[str, object]) -> Path:
    """Run a task to its last step and return the bundle it wrote.

    Goes on from the newest checkpoint in the output folder. The samples, noises and dropouts of a
    step depend on the seed and the step alone, however many processes share them.

    Raises:
        ConfigError: there are fewer samples than [run] held_out.
        NotFiniteError: a loss or a gradient is not finite.
    """
    trainer = Trainer(accelerator, task, run, recipe)
    trainer.resume()
    trainer.run_steps()
    trainer.export("bundle")
    accelerator.end_training()
    return run.output / "bundle.safetensors"


class Trainer:
    """A run in one of its processes."""

    def __init__(
        self, accelerator: Accelerator, task: Task, run: RunConfig, recipe: dict[str, object]
    ) -> None:
        if run.held_out >= len(task):
            raise ConfigError(
                f"[run] held_out is {run.held_out}, and there are {len(task)} samples.\n"
                "Expected some that are left to train on.\nLower held_out, or add data."
            )
        self.accelerator, self.task, self.run, self.recipe = accelerator, task, run, recipe
        if run.gradient_checkpointing:
            checkpoint_activations(task.model)
        self.sharded = accelerator.distributed_type == DistributedType.FSDP
        keeps_whole = self.sharded and accelerator.is_main_process
        self.whole = copy.deepcopy(task.model) if keeps_whole else None
        zero = accelerator.distributed_type == DistributedType.DEEPSPEED
        if zero:  # it sends weights as flat memory
            task.model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        optimizer = make_optimizer(trained_parameters(task.model), run)
        self.model, self.optimizer = accelerator.prepare(task.model, optimizer)
        self.plain: nn.Module = accelerator.unwrap_model(self.model)
        parameters = trained_parameters(self.plain)
        self.state = TrainingState(
            parameters=parameters,
            average=AveragedWeights(parameters, run.ema_decay),
            moments=ZeroMoments(parameters, self.optimizer.optimizer)
            if zero
            else TorchMoments(parameters, self.optimizer),
            scaler=accelerator.scaler,
        )
        self.checkpoints = run.output / "checkpoints"
        self.at_once = samples_at_once(run, accelerator.num_processes)

    def resume(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        if self.accelerator.is_main_process:
            for folder in (self.checkpoints, self.run.output / "samples"):
                make_folder(folder)
            remove_leftovers(self.checkpoints)
            write_whole(self.run.output / RECIPE, json.dumps(self.recipe).encode())
        self.accelerator.wait_for_everyone()
        if (newest := newest_checkpoint(self.checkpoints)) is not None:
            load_checkpoint(newest, self.state)
            logger.info("Going on from step %d.", self.state.step)

    def run_steps(self) -> None:
        """Train to the last step; save, sample and export on the way."""
        run, state = self.run, self.state
        self.log = start_log(self.accelerator, run, state.step, self.recipe)
        main, self.exported = self.accelerator.is_main_process, monotonic()
        for step in tqdm(
            range(state.step, run.steps), initial=state.step, total=run.steps, disable=not main
        ):
            self.log.losses(step + 1, self._step(step))
            due = [
                (step + 1) % every == 0 or step + 1 == run.steps
                for every in (run.save_every, run.sample_every)
            ]
            if due[0]:
                self._save()
            if due[1]:
                self._sample()
            if step + 1 < run.steps and self._export_is_due():
                self.export("bundle")

    def _export_is_due(self) -> bool:
        """Tell every process the same: so many steps, or minutes on the clock of all, are over."""
        run, now = self.run, monotonic()
        due = run.export_every > 0 and self.state.step % run.export_every == 0
        if run.export_minutes > 0.0:
            seconds = torch.tensor(now - self.exported, device=self.accelerator.device)
            due |= float(self._means({"s": seconds})["s"]) >= 60.0 * run.export_minutes
        if due:
            self.exported = now
        return due

    def _step(self, step: int) -> dict[str, Tensor]:
        """Make one step of the optimiser and return its losses, means over all samples."""
        run, state = self.run, self.state
        set_learning_rates(self.optimizer, learning_rate_share(step, run))
        torch.manual_seed(run.seed * 1_000_003 + step)  # for draws of somebody else's module
        sums: dict[str, Tensor] = {}
        for part in range(run.accumulation):
            places = self._places(part)
            indices = sample_order(len(self.task) - run.held_out, run.seed, places)
            rng = SampleRandom.seeded(run.seed, places)
            batch = load_batch(self.task, indices, rng, self.accelerator.device)
            facts = {"indices": indices, "places": list(places), "seed": run.seed}
            with self.accelerator.accumulate(self.model):
                losses = self.model(batch, rng)
                means = self._means(losses)
                self._check("loss", means["loss"], batch, facts)
                self.accelerator.backward(losses["loss"])
                if self.accelerator.sync_gradients:
                    self._clip(batch, facts)
                self.optimizer.step()
                self.optimizer.zero_grad()
            for name, mean in means.items():
                sums[name] = sums.get(name, torch.zeros_like(mean)) + mean / run.accumulation
        state.step, state.samples = step + 1, state.samples + run.batch_size
        state.average.update(step + 1)
        return sums

    def _places(self, part: int) -> range:
        """Choose this process's places of a part of a step in the stream of samples."""
        number = self.accelerator.process_index * self.run.accumulation + part
        first = self.state.samples + number * self.at_once
        return range(first, first + self.at_once)

    def _means(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Average over the processes."""
        values = torch.stack([value.detach().float() for value in losses.values()])
        return dict(zip(losses, self.accelerator.reduce(values, "mean"), strict=True))

    def _clip(self, batch: dict[str, Tensor], facts: dict[str, object]) -> None:
        """Clip the gradient; fp16 may overflow it, which its scaler tells and mends by itself."""
        norm = self.accelerator.clip_grad_norm_(self.plain.parameters(), self.run.clip_norm)
        scaler = self.accelerator.scaler
        if scaler is None or scaler.get_scale() <= 1.0:
            self._check("gradient norm", norm, batch, facts)

    def _check(self, what: str, value: Any, batch: dict[str, Tensor], facts: dict) -> None:
        rank, output = self.accelerator.process_index, self.run.output
        check_finite(what, float(value), self.state.step + 1, batch, facts, output, rank)

    def _save(self) -> None:
        """Write a checkpoint; with samples held out, measure it and export the best."""
        run, state, loss, improved = self.run, self.state, None, False
        if run.held_out:
            loss = validation_loss(
                self.accelerator,
                self.task,
                self.model,
                state.average,
                held_out=run.held_out,
                at_once=self.at_once,
            )
            self.log.write({"validation": loss}, state.step)
            improved = loss < state.best
            state.best = min(loss, state.best)
        save_checkpoint(
            self.checkpoints,
            state,
            keep=run.keep_checkpoints,
            main=self.accelerator.is_main_process,
            validation=loss,
        )
        self.accelerator.wait_for_everyone()
        if improved:
            self.export("best")

    def _sample(self) -> None:
        """Draw a sheet on the main process; the others wait."""
        with self.averaged() as module:
            if module is not None:
                path = self.run.output / "samples" / f"step-{self.state.step:07d}.png"
                image = self.task.sample(module)
                save_image(image[None], path)
                self.log.image("sample", image, self.state.step)
        self.accelerator.wait_for_everyone()

    def export(self, name: str) -> None:
        """Write the averaged weights as a bundle on the main process; the others wait."""
        about = {**self.recipe, "steps": self.state.step, "seed": self.run.seed}
        with self.averaged() as module:
            if module is not None:
                path = self.run.output / f"{name}.safetensors"
                self.task.export(module, path, about)
                losses = logged(self.run.output, self.state.step)
                write_model_card(path, losses=losses, hardware=self.hardware())
        self.accelerator.wait_for_everyone()

    def hardware(self) -> str:
        """Name what the run uses."""
        device = self.accelerator.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return f"{self.accelerator.num_processes} x {name}"

    @contextmanager
    def averaged(self) -> Iterator[nn.Module | None]:
        """Give the main process the averaged model, whole; the others get none."""
        average = self.state.average
        if self.sharded:
            weights = whole_tensors(average.values.items())
            if self.whole is not None:
                self.whole.load_state_dict(weights, strict=False)
            yield self.whole
        elif self.accelerator.is_main_process:
            with average.applied():
                yield self.plain
        else:
            yield None


@runtime_checkable
class Checkpointed(Protocol):
    """A UNet, or what holds one that is not trained."""

    def enable_gradient_checkpointing(self) -> None:
        """Compute activations again on the way back."""
        ...


def checkpoint_activations(model: nn.Module) -> None:
    """Have every diffusers model compute its activations again on the way back."""
    parts = [part for part in model.modules() if isinstance(part, Checkpointed)]
    for part in parts:
        part.enable_gradient_checkpointing()
    if not parts:
        raise ConfigError(
            "[run] gradient_checkpointing is set, and there is no UNet to checkpoint.\n"
            "Expected a [network] run.\nLeave it out."
        )
