"""DeepSpeed's ZeRO-2: gradients and moments are cut over the processes, weights stay whole.

Its own checkpoints are pickles. Here moments are gathered whole by parameter, as those of any other
run are, so that a run may go on without DeepSpeed or with another number of processes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from accelerate.utils import DeepSpeedPlugin
from torch import Tensor, nn

from posexfer_core.errors import ConfigError

from .run_config import RunConfig


def configure_deepspeed(plugin: DeepSpeedPlugin, run: RunConfig, at_once: int) -> None:
    """Have DeepSpeed accumulate, clip and compute as [run] says.

    bf16 is torch's autocast over float32 weights and float32 gradients, as without DeepSpeed.

    Args:
        plugin: accelerate's, from its config file; changed.
        run: the [run] section.
        at_once: samples of a process at once.

    Raises:
        ConfigError: another stage than ZeRO-2 was asked for, or moments in main memory.
    """
    offload = plugin.offload_optimizer_device
    if plugin.zero_stage != 2 or offload not in (None, "none"):
        raise ConfigError(
            f"accelerate was told to use ZeRO-{plugin.zero_stage}, with moments on {offload}.\n"
            "Expected ZeRO-2 without offload.\n"
            "Give --config_file training/configs/accelerate/deepspeed.yaml; fsdp.yaml cuts the "
            "weights too."
        )
    plugin.deepspeed_config |= {
        "train_micro_batch_size_per_gpu": at_once,
        "gradient_accumulation_steps": run.accumulation,
        "gradient_clipping": run.clip_norm,
    }
    if run.precision == "bf16":
        plugin.deepspeed_config["torch_autocast"] = {
            "enabled": True,
            "dtype": "bfloat16",
            "lower_precision_safe_modules": [],  # whose gradients are sent in bf16
        }


class ZeroMoments:
    """What DeepSpeed's optimiser keeps of each parameter."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], optimizer: Any) -> None:
        """Take the trained parameters by name, and a `DeepSpeedZeroOptimizer`."""
        self.optimizer = optimizer
        names = {parameter: name for name, parameter in parameters.items()}
        self.groups = [
            (group["params"][0], {names[parameter]: parameter for parameter in members})
            for group, members in zip(optimizer.param_groups, optimizer.bit16_groups, strict=True)
        ]
        """This process's part of a group as one flat tensor, and the group's parameters."""

    def read(self) -> Iterator[tuple[str, str, Tensor]]:
        """Give every entry whole, on every process."""
        from deepspeed.utils import (  # type: ignore[import-not-found]
            safe_get_full_optimizer_state,
        )

        self._link()
        for flat, members in self.groups:
            for entry, value in self.optimizer.state.get(flat, {}).items():
                for name, parameter in members.items():
                    cut = value.shape == flat.shape
                    whole = safe_get_full_optimizer_state(parameter, entry) if cut else value
                    yield name, entry, whole

    def write(self, moments: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take this process's part of every entry, and of the weights as they are now."""
        from deepspeed.utils import (  # type: ignore[import-not-found]
            safe_set_full_fp32_param,
            safe_set_full_optimizer_state,
        )

        for flat, members in self.groups:
            for entry, value in moments.get(next(iter(members)), {}).items():
                kept = torch.zeros_like(flat) if value.ndim else value.clone()
                self.optimizer.state[flat][entry] = kept
        self._link()
        for _, members in self.groups:
            for name, parameter in members.items():
                safe_set_full_fp32_param(parameter, parameter.detach())
                for entry, value in moments.get(name, {}).items():
                    if value.ndim:
                        safe_set_full_optimizer_state(parameter, value, entry)

    def _link(self) -> None:
        """Link parameters to their moments.

        DeepSpeed 0.19 does so once, after the step of the first group, when others have none yet.
        """
        self.optimizer._hp_optimizer_states_linked = False
        self.optimizer._lazy_init_hp_params_optimizer_state()
