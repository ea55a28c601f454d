"""Optimisers of a run, their groups and their learning rates."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import torch
from torch import nn

from posexfer_core.errors import ConfigError

from .run_config import RunConfig

BETAS = (0.9, 0.99)


def make_optimizer(parameters: Mapping[str, nn.Parameter], run: RunConfig) -> torch.optim.Optimizer:
    """Build the optimiser of a run; each group holds its own peak rate as `peak`.

    Matrices and kernels decay; biases, norms and single tokens do not.

    Raises:
        ConfigError: a pattern of [run] learning_rates fits no parameter, or a package is missing.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        decay = run.weight_decay if parameter.ndim >= 2 else 0.0
        groups.setdefault((_peak(name, run), decay), []).append(parameter)
    unused = [
        pattern
        for pattern in run.learning_rates
        if not any(fnmatchcase(name, pattern) for name in parameters)
    ]
    if unused or not groups:
        raise ConfigError(
            f"[run] learning_rates has {unused}, and {len(parameters)} parameters are trained.\n"
            "Expected patterns that each fit the name of one of them at least.\n"
            f"There are {sorted({'.'.join(name.split('.')[:3]) + '.*' for name in parameters})}."
        )
    listed = [
        {"params": members, "lr": peak, "peak": peak, "weight_decay": decay}
        for (peak, decay), members in groups.items()
    ]
    match run.optimizer:
        case "sgd":
            return torch.optim.SGD(listed)
        case "adamw8bit":
            return _adamw_8bit(listed)
        case _:
            return torch.optim.AdamW(listed, betas=BETAS)


def learning_rate_share(step: int, run: RunConfig) -> float:
    """Rise linearly to 1, stay, fall linearly to zero at the last step."""
    rise = min(1.0, (step + 1) / max(1, run.warmup_steps))
    fall = min(1.0, (run.steps - step) / max(1, run.decay_steps))
    return min(rise, fall)


def set_learning_rates(optimizer: torch.optim.Optimizer, share: float) -> None:
    """Give every group its share of its peak rate."""
    for group in optimizer.param_groups:
        group["lr"] = share * group["peak"]


def _peak(name: str, run: RunConfig) -> float:
    fitting = (rate for pattern, rate in run.learning_rates.items() if fnmatchcase(name, pattern))
    return next(fitting, run.learning_rate)


def _adamw_8bit(groups: list[dict]) -> torch.optim.Optimizer:
    try:
        from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found]
    except ImportError as error:
        raise ConfigError(
            '[run] optimizer is "adamw8bit", and bitsandbytes is not installed.\n'
            "Expected the package, which keeps the moments in 8 bits.\n"
            'Install it with `pip install bitsandbytes`, or set optimizer = "adamw".'
        ) from error
    return AdamW8bit(groups, betas=BETAS)
