"""What every run has: the [run] section of its TOML."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from posexfer_core.errors import ConfigError

PRECISIONS = ("bf16", "fp16", "no")
OPTIMIZERS = ("adamw", "adamw8bit", "sgd")
TRACKERS = ("tensorboard", "wandb")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What every run has. Each field may be set under [run]; any other name there is an error."""

    data: Path
    """Folder of shards that `training.preprocess` or `training.make_synthetic` wrote, or for
    [lifter] the file of `training.make_poses`; relative paths start at the working folder."""
    output: Path
    """Folder of checkpoints, samples and logs."""
    seed: int = 0
    """Decides the first weights, the order of samples, every noise and every dropout."""
    steps: int = 10_000
    """Optimiser steps in all."""
    batch_size: int = 32
    """Samples per optimiser step, summed over processes and accumulation."""
    accumulation: int = 1
    """Parts of each process's share of a batch, one after the other: less memory, same gradient."""
    optimizer: Literal["adamw", "adamw8bit", "sgd"] = "adamw"
    """AdamW, AdamW with moments of 8 bits (needs bitsandbytes), or plain gradient descent."""
    learning_rate: float = 3e-4
    """Peak rate."""
    learning_rates: dict[str, float] = field(default_factory=dict)
    """Peak rates of some parameters instead, by patterns of their names ("unet.*" = 1e-5); the
    first pattern that fits counts."""
    weight_decay: float = 0.01
    """Decoupled decay of matrices and kernels."""
    warmup_steps: int = 200
    """Steps of linear rise at the start."""
    decay_steps: int = 1_000
    """Steps of linear fall to zero at the end; the rate is constant in between."""
    ema_decay: float = 0.999
    """Decay of the averaged weights, which are the ones that are kept."""
    clip_norm: float = 1.0
    """Largest gradient norm."""
    gradient_checkpointing: bool = False
    """Compute a UNet's activations again on the way back: less memory, a third more time."""
    save_every: int = 500
    """Steps between checkpoints."""
    keep_checkpoints: int = 2
    """Newest checkpoints that are kept, besides the best by validation."""
    held_out: int = 0
    """Samples at the end of the data that are not trained on; their loss is measured with every
    checkpoint, and the best is kept and exported as `best.safetensors`."""
    sample_every: int = 500
    """Steps between sample images."""
    export_every: int = 0
    """Steps between exports of the averaged weights as `bundle.safetensors`; 0: at the end."""
    export_minutes: float = 0.0
    """Minutes between exports as well; 60 for one every hour, 0 for none."""
    log_every: int = 20
    """Steps between lines of the log."""
    log_with: tuple[str, ...] = ("tensorboard",)
    """Trackers beside `log.jsonl`: "tensorboard", "wandb"."""
    precision: Literal["bf16", "fp16", "no"] = "bf16"
    """What the forward pass computes in."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no run."""
        counts = ("steps", "batch_size", "accumulation", "keep_checkpoints")
        for name in (*counts, "save_every", "sample_every", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"[run] {name} must be at least 1, got {getattr(self, name)}.")
        for name in ("held_out", "export_every", "export_minutes", "learning_rate", "clip_norm"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"[run] {name} must be 0 or more, got {getattr(self, name)}.")
        if not 0.0 <= self.ema_decay < 1.0:
            raise ConfigError(f"[run] ema_decay must be in [0, 1), got {self.ema_decay}.")
        for name, known in (("precision", PRECISIONS), ("optimizer", OPTIMIZERS)):
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"[run] {name} must be one of {', '.join(known)}, got {getattr(self, name)!r}."
                )
        if unknown := sorted(set(self.log_with) - set(TRACKERS)):
            raise ConfigError(f"[run] log_with has {unknown}; there are {', '.join(TRACKERS)}.")
