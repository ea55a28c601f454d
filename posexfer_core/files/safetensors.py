"""Pieces of weights files: one .safetensors, written whole, read strictly, by clear errors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..errors import CheckpointError


def prefixed(
    prefix: str, state: Mapping[str, Tensor], dtype: torch.dtype | None
) -> dict[str, Tensor]:
    """Copy weights for a file, under `prefix.name`, floats as `dtype`.

    Raises:
        CheckpointError: a weight is not finite, or too large for `dtype`.
    """
    stored = {}
    for name, tensor in state.items():
        kind = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
        # a copy, because safetensors refuses tensors that share memory
        copy = tensor.detach().to("cpu", kind, copy=True).contiguous()
        if not torch.isfinite(copy).all():
            raise CheckpointError(f"{prefix}.{name} is not finite as {kind}; nothing was written.")
        stored[f"{prefix}.{name}"] = copy
    return stored


def opened(path: Path) -> Any:
    """Open a .safetensors file; use it as a context.

    Raises:
        CheckpointError: the file is missing, damaged or something else.
    """
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        reason = "there is no such file" if not path.exists() else str(error)
        raise CheckpointError(
            f"{path.name} cannot be read as a .safetensors file: {reason}. "
            "Is the path right and the download complete?"
        ) from error


def parts_of(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Sort tensors by their prefix, floats in float32.

    Raises:
        CheckpointError: a tensor has no prefix.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        if not rest:
            raise CheckpointError(f"{path.name} holds a stray tensor {name!r}.")
        parts.setdefault(part, {})[rest] = tensor.float() if tensor.is_floating_point() else tensor
    return parts


def fill(path: Path, module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights strictly, and go to evaluation mode.

    Raises:
        CheckpointError: a tensor is missing, unexpected, misshapen or not finite.
    """
    try:
        module.load_state_dict(state)
    except RuntimeError as error:  # torch names each missing, unexpected or misshapen tensor
        raise CheckpointError(f"{path.name} does not fit its own header: {error}") from error
    for name, tensor in module.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{path.name} is damaged: {name} holds numbers that are NaN or infinite. Copy or "
                "train it again."
            )
    module.eval()
