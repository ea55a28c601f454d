"""A run over a base, from pictures in DeepFashion's layout to the exported adapter, by commands."""

from pathlib import Path

from training.export import main as export
from training.preprocess import main as prepare
from training.train import main as train

RUN = """
[data]
height = 64
width = 48

[[source]]
kind = "deepfashion"
root = "{root}"
bodies = "{root}/bodies"

[run]
data = "{samples}"
output = "{folder}/run"
steps = 20
batch_size = 2
learning_rate = 3e-3
warmup_steps = 1
decay_steps = 1
save_every = 100
sample_every = 100
log_every = 1
precision = "no"
gradient_checkpointing = true

[base]
model = "{base}"

[network]
prepared = "{folder}/prepared"
noises = 1

[model]
points = 16
token_width = 24
control_heads = 2
control_blocks = 1
prior_widths = {widths}
prior_blocks = 1
"""
PRIOR_WIDTHS = {"sd15": [8, 8, 16, 16], "sdxl": [8, 8, 16]}
"""Of a small network over each family; as many as its UNet has levels."""


def train_adapter(folder: Path, root: Path, base: Path, family: str, *, samples: Path) -> Path:
    """Preprocess, train for twenty steps with checkpointed activations, and export.

    Args:
        folder: of the run.
        root: what `make_deepfashion` wrote.
        base: a folder of `tests.small_bases`.
        family: "sd15" or "sdxl".
        samples: folder that runs over several bases may share.
    """
    toml, widths = folder / "run.toml", PRIOR_WIDTHS[family]
    toml.write_text(RUN.format(folder=folder, root=root, base=base, widths=widths, samples=samples))
    assert prepare(["--config", str(toml), "--workers", "1"]) == 0
    assert train(["--config", str(toml)]) == 0
    assert export([str(folder / "run")]) == 0
    return folder / "run" / "export.safetensors"
