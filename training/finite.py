"""A run stops at the first loss or gradient that is not finite, and leaves the batch behind."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from posexfer_core.errors import PoseXferError
from posexfer_core.files.atomic import make_folder, replacing


class NotFiniteError(PoseXferError):
    """A loss, a gradient or a weight is not finite."""


def check_finite(
    what: str,
    value: float,
    step: int,
    batch: Mapping[str, Tensor],
    facts: Mapping[str, object],
    output: Path,
    rank: int,
) -> None:
    """Refuse a value that is not finite; every process calls this with the same value.

    Args:
        what: is checked, for the message.
        value: the same on every process, or some would wait for others that have stopped.
        step: counted from 1.
        batch: this process's; it is written, with `facts`, for whoever looks for the cause.
        facts: about the batch, as JSON can hold them.
        output: of the run.
        rank: of this process.

    Raises:
        NotFiniteError: it is not.
    """
    if math.isfinite(value):
        return
    folder = output / "not_finite"
    make_folder(folder)
    path = folder / f"step-{step:07d}-rank-{rank}.safetensors"
    with replacing(path) as partial:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in batch.items()}
        save_file(tensors, partial, {"about": json.dumps({"step": step, what: value, **facts})})
    raise NotFiniteError(
        f"The {what} of step {step} is {value}; the batch is kept in {path}.\n"
        "Expected finite losses and gradients; the checkpoints before are kept as they were.\n"
        "Look for broken samples in that batch, or lower [run] learning_rate, "
        'or set precision = "no"; the same command then goes on from the newest checkpoint.'
    )
