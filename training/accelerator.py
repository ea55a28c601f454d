"""The processes of a run, and whether they are those that were asked for."""

import logging
import os
from datetime import timedelta
from importlib.util import find_spec

import torch
from accelerate import Accelerator
from accelerate.utils import (
    DistributedDataParallelKwargs,
    DistributedType,
    InitProcessGroupKwargs,
    ProjectConfiguration,
)

from posexfer_core.errors import ConfigError

from .run_config import RunConfig
from .zero import configure_deepspeed

WAIT = timedelta(hours=2)
"""Longest wait of one process for another, which may be drawing samples or writing files."""
logger = logging.getLogger(__name__)


def start_accelerator(run: RunConfig, *, trained_partly: bool = False) -> Accelerator:
    """Join the other processes of this run.

    Args:
        run: its [run] section.
        trained_partly: some parameters have no share in the loss, and so no gradient.

    Raises:
        ConfigError: there are fewer than asked, they cannot share a batch, or the device cannot
            compute in [run] precision.
    """
    for tracker in run.log_with:
        if find_spec(tracker) is None:
            raise ConfigError(
                f"[run] log_with has {tracker!r}, and the package is not installed.\n"
                "Expected every tracker's package.\n"
                f"Install it with `pip install {tracker}`, or leave it out of log_with."
            )
    deepspeed = os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true"
    if deepspeed and run.precision == "fp16":
        raise ConfigError(
            '[run] precision is "fp16", and accelerate was told to use DeepSpeed.\n'
            "Expected bf16 or float32: DeepSpeed would keep the weights themselves in fp16.\n"
            'Set precision = "bf16", or start by ddp.yaml or zero2.yaml.'
        )
    on_gpu = torch.cuda.is_available()
    accelerator = Accelerator(
        mixed_precision="no" if deepspeed else run.precision,  # it would cast the weights
        cpu=not on_gpu and not deepspeed,
        gradient_accumulation_steps=run.accumulation,
        log_with=list(run.log_with),
        project_config=ProjectConfiguration(
            project_dir=str(run.output), logging_dir=str(run.output / "tensorboard")
        ),
        kwargs_handlers=[
            InitProcessGroupKwargs(
                backend="gloo" if deepspeed and not on_gpu else None, timeout=WAIT
            ),
            DistributedDataParallelKwargs(find_unused_parameters=trained_partly),
        ],
    )
    if run.precision == "fp16" and not on_gpu:  # accelerate would compute in float32
        accelerator.scaler, accelerator.native_amp = torch.amp.GradScaler("cpu"), True
    if accelerator.distributed_type == DistributedType.FSDP and not accelerator.is_fsdp2:
        raise ConfigError(
            "accelerate was told to use FSDP 1, which flattens the parameters.\n"
            "Expected FSDP 2.\n"
            "Give --config_file training/configs/accelerate/fsdp.yaml, or fsdp_version: 2 in yours."
        )
    _check_launch(accelerator.num_processes)
    at_once = samples_at_once(run, accelerator.num_processes)
    if (plugin := accelerator.state.deepspeed_plugin) is not None:
        configure_deepspeed(plugin, run, at_once)
    if accelerator.is_main_process:
        kind = accelerator.distributed_type.value.lower().replace("_", " ")
        logger.info(
            "%d process%s on %s%s, precision %s: %d samples a step, %d at once in each.",
            accelerator.num_processes,
            "es" if accelerator.num_processes > 1 else "",
            accelerator.device.type,
            f" ({kind})" if kind != "no" else "",
            run.precision,
            run.batch_size,
            at_once,
        )
        if accelerator.num_processes < torch.cuda.device_count():
            logger.warning(
                "%d of %d GPUs are used; `accelerate launch --multi_gpu` uses all.",
                accelerator.num_processes,
                torch.cuda.device_count(),
            )
    return accelerator


def samples_at_once(run: RunConfig, processes: int) -> int:
    """Divide a batch by processes and accumulation.

    Raises:
        ConfigError: that leaves a rest.
    """
    parts = processes * run.accumulation
    if run.batch_size % parts:
        raise ConfigError(
            f"[run] batch_size is {run.batch_size}, for {processes} processes with "
            f"accumulation = {run.accumulation}.\n"
            f"Expected a multiple of {parts}, so that no sample is left out.\n"
            f"Set batch_size = {-(-run.batch_size // parts) * parts}, or start another number "
            "of processes."
        )
    return run.batch_size // parts


def _check_launch(found: int) -> None:
    """Refuse one process where `accelerate launch` was asked for several.

    On a CPU its launcher sets the address of the others and starts none of them.
    """
    launched = "ACCELERATE_USE_CPU" in os.environ and "MASTER_PORT" in os.environ
    if found == 1 and launched and "WORLD_SIZE" not in os.environ:
        raise ConfigError(
            "`accelerate launch` was asked for several processes and started one.\n"
            "Expected as many as asked; on a CPU it starts them by MPI alone.\n"
            "Start them with `torchrun --nproc_per_node 2 -m training.train --config RUN.toml`."
        )
