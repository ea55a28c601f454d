"""`training.train` under FSDP 2 on a CPU: accelerate shards there, and only its choice does not."""

import sys

from accelerate import Accelerator
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

from training import train
from training.accelerator import start_accelerator
from training.run_config import RunConfig


def start_sharded(run: RunConfig, *, trained_partly: bool) -> Accelerator:
    """Start as usual, then choose FSDP 2 around every linear layer."""
    accelerator = start_accelerator(run, trained_partly=trained_partly)
    accelerator.state.distributed_type = DistributedType.FSDP
    accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin(
        fsdp_version=2,
        auto_wrap_policy="transformer_based_wrap",
        transformer_cls_names_to_wrap=["Linear"],
    )
    return accelerator


def main(arguments: list[str] | None) -> int:
    """Train under FSDP 2."""
    train.start_accelerator = start_sharded
    return train.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
