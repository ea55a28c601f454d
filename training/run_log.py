"""What a run tells of itself: losses and speed, as JSON lines and to accelerate's trackers."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import torch
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker
from jaxtyping import Float
from torch import Tensor

from posexfer_core.files.atomic import write_whole
from posexfer_core.files.images import to_bytes

from .run_config import RunConfig

LINES = "log.jsonl"


class JsonLines(GeneralTracker):
    """One JSON object a line; a run that goes on drops the lines after its checkpoint."""

    name = "jsonl"
    requires_logging_directory = False

    def __init__(self, path: Path, start: int) -> None:
        super().__init__()
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = _whole_lines(path, start)
        path.write_text("".join(json.dumps(entry) + "\n" for entry in kept))
        self.path = path

    @property
    def tracker(self) -> object:
        """The file."""
        return self.path

    def store_init_configuration(self, values: dict) -> None:
        """Nothing: the configuration is in the bundle."""

    def log(self, values: dict, step: int | None = None, **_: object) -> None:
        """Write one line."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def log_images(self, values: dict, step: int | None = None, **_: object) -> None:
        """Nothing: samples are files."""

    def finish(self) -> None:
        """Nothing: no file is open."""


def logged(folder: Path, step: int) -> dict[str, float]:
    """Read what the log of a run has last of every name, up to a step; nothing without a log."""
    last: dict[str, float] = {}
    for entry in _whole_lines(folder / LINES, step):
        last |= entry
    last.pop("step", None)
    return last


def _whole_lines(path: Path, step: int) -> list[dict[str, float]]:
    """Read the lines up to a step; a kill may have cut off the last one."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    entries = [json.loads(line) for line in lines if line.endswith("\n")]
    return [entry for entry in entries if entry["step"] <= step]


def start_log(
    accelerator: Accelerator, run: RunConfig, start: int, recipe: Mapping[str, object]
) -> "RunLog":
    """Open every tracker, on the main process.

    Args:
        accelerator: its trackers are opened.
        run: the [run] section.
        start: steps that are done.
        recipe: configuration of the run, and what it is trained on.
    """
    options: dict[str, dict[str, object]] = {"tensorboard": {"purge_step": start}}
    if accelerator.is_main_process:
        accelerator.log_with.append(JsonLines(run.output / LINES, start))
        if "wandb" in run.log_with:
            options["wandb"] = _wandb_run(run.output) | {"config": dict(recipe)}
    accelerator.init_trackers("posexfer", init_kwargs=options)
    return RunLog(accelerator, run)


def _wandb_run(folder: Path) -> dict[str, object]:
    """Give W&B's run of an output folder: a run that goes on goes on in the same.

    W&B passes over steps that it has already; a resumed run computes them again to the same bit.
    """
    note = folder / "wandb.id"
    if not note.exists():
        write_whole(note, uuid4().hex.encode())
    return {"dir": str(folder), "name": folder.name, "id": note.read_text(), "resume": "allow"}


class RunLog:
    """Means of the losses over `log_every` steps."""

    def __init__(self, accelerator: Accelerator, run: RunConfig) -> None:
        self.accelerator, self.run = accelerator, run
        self.sums: dict[str, Tensor] = {}
        self.count, self.clock = 0, time.perf_counter()

    def losses(self, done: int, losses: Mapping[str, Tensor]) -> None:
        """Add one step's losses, means over all samples; read from the device when written."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value
        self.count += 1
        if done % self.run.log_every and done != self.run.steps:
            return
        means = {name: float(total) / self.count for name, total in self.sums.items()}
        elapsed = time.perf_counter() - self.clock
        means["images_per_second"] = self.count * self.run.batch_size / elapsed
        self.write(means, done)
        self.sums, self.count, self.clock = {}, 0, time.perf_counter()

    def write(self, values: Mapping[str, float], done: int) -> None:
        """Give numbers to every tracker."""
        self.accelerator.log(dict(values), step=done)

    def image(self, name: str, image: Float[Tensor, "3 height width"], done: int) -> None:
        """Give an image to every tracker, on the main process."""
        pixels = {name: to_bytes(image)[None].numpy()}
        for tracker in self.accelerator.trackers:
            laid_out = {"dataformats": "NHWC"} if tracker.name == "tensorboard" else {}
            tracker.log_images(pixels, step=done, **laid_out)
