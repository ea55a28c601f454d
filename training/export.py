"""Write a node checkpoint from a run: `python -m training.export RUN`.

The averaged weights of a checkpoint as one .safetensors file, which `posexfer transfer --weights`
and ComfyUI's Load Pose-Transfer Model read. Over a base it is an adapter and needs that base.
"""

import json
import sys
from pathlib import Path
from typing import Any, cast

from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn

from posexfer_core.errors import CheckpointError, ConfigError
from posexfer_core.files.weights import open_tensors
from posexfer_core.network.model import PoseTransferNetwork

from .checkpoint import newest_checkpoint, read_facts
from .config import PairTraining, TrainConfig
from .console import command_parser, print_line, run_command
from .data.encoders import EncoderFiles
from .model_card import write_model_card
from .run_log import logged
from .tasks.network_files import configure, load_matching, save_trained
from .trainer import RECIPE


def main(arguments: list[str] | None = None) -> int:
    """Export the newest checkpoint of a run, or the one of a step."""
    parser = command_parser(__doc__, "training.export")
    parser.add_argument("run", type=Path, help="output folder of a run of [network]")
    parser.add_argument("--step", type=int, help="of the checkpoint (default: the newest)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.safetensors", help="default: export.safetensors in RUN"
    )
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen.run, chosen.step, chosen.out))


def _run(run: Path, step: int | None, out: Path | None) -> None:
    recipe = _read_recipe(run)
    config = TrainConfig.from_table(recipe["config"], f"{run / RECIPE}")
    if not isinstance(config.task, PairTraining):
        raise ConfigError(
            f"{run} trains no network.\nExpected a run of [network] or [prior_head].\n"
            "Other runs write their file when they end: bundle.safetensors."
        )
    network_config = configure(config.model, config.base, config.task.start)
    files = EncoderFiles.of_run(config.task, config.base, network_config)
    checkpoint = _checkpoint(run, step)
    model = nn.ModuleDict({"network": PoseTransferNetwork(network_config)})
    if config.base is None:
        model["unet"] = UNet2DConditionModel(**network_config.unet.diffusers_config())
    if config.task.start is not None:  # has what the run left frozen
        load_matching(model, config.task.start)
    _load_averaged(model, checkpoint, whole=config.task.start is None)
    unet = model["unet"].state_dict() if "unet" in model else None
    path = out or run / "export.safetensors"
    done = int(read_facts(checkpoint)["step"])
    network = cast(PoseTransferNetwork, model["network"])
    save_trained(path, network, unet, files, {**recipe, "steps": done, "seed": config.run.seed})
    write_model_card(path, losses=logged(run, done), hardware="as the card of the run says")
    print_line(f"Wrote {path}, of step {done}. ComfyUI finds it in models/model_patches.")
    if config.base is not None:
        print_line(f"It is an adapter: use it with {config.base.model}, or a model of its family.")


def _read_recipe(run: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((run / RECIPE).read_text()))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{run} holds no {RECIPE} that can be read: {error}.\n"
            "Expected the output folder of a run of training.train.\n"
            "Name the folder that the TOML has under [run] output."
        ) from error


def _checkpoint(run: Path, step: int | None) -> Path:
    folder = run / "checkpoints"
    wanted = newest_checkpoint(folder) if step is None else folder / f"step-{step:07d}"
    if wanted is None or not wanted.exists():
        there = ", ".join(sorted(path.name for path in folder.glob("step-*"))) or "none"
        raise CheckpointError(
            f"{run} has these checkpoints: {there}.\n"
            f"Expected {'one' if step is None else f'that of step {step}'}.\n"
            "Train on, or name another --step."
        )
    return wanted


def _load_averaged(model: nn.Module, checkpoint: Path, *, whole: bool) -> None:
    """Load the averaged weights; they are all of the model where nothing was frozen."""
    with open_tensors(checkpoint / "average.safetensors") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    wanted = {name: parameter.shape for name, parameter in model.named_parameters()}
    odd = [name for name, value in state.items() if wanted.get(name) != value.shape]
    if odd or (whole and state.keys() != wanted.keys()):
        raise CheckpointError(
            f"{checkpoint} has {len(state)} weights, {len(odd)} of which the run's network lacks.\n"
            f"Expected the {len(wanted)} of the network that {RECIPE} describes.\n"
            "Was the folder used by another run, or a base replaced?"
        )
    model.load_state_dict(state, strict=False)


if __name__ == "__main__":
    sys.exit(main())
