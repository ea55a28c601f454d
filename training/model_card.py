"""A model card beside every export: what the weights are, how they were made, how to use them."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from posexfer_core.files.atomic import write_whole
from posexfer_core.files.weights import read_header

PACKAGES = ("torch", "diffusers", "accelerate")


def write_model_card(weights: Path, *, losses: Mapping[str, float], hardware: str) -> Path:
    """Write the card of a weights file beside it, from its own header.

    Args:
        weights: what a run has exported.
        losses: the last means that were logged, by name.
        hardware: what the run used.

    Returns:
        The Markdown file.
    """
    header = read_header(weights)
    recipe = dict(header.recipe)
    run = dict(recipe.pop("config", {}))
    made = {name: value for name, value in recipe.items() if not isinstance(value, dict | list)}
    software = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    sections = [
        f"# {weights.stem}",
        f"A `{header.format}` of posexfer: {', '.join(sorted(header.config))}. "
        f"`posexfer info {weights.name}` prints its header.",
        "## How it was made",
        _table({**made, "hardware": hardware, "software": f"{software}, {platform.system()}"}),
        *(
            f"### [{name}]\n\n{_table(table)}"
            for name, tables in run.items()
            for table in (tables if isinstance(tables, list) else [tables])
        ),
        "## How well it does",
        _table({name: f"{value:.4g}" for name, value in losses.items()})
        if losses
        else "Nothing was measured yet.",
        "These are losses of the training. `python -m training.evaluate --weights "
        f"{weights.name}` measures images.",
        "## What to add before you publish it",
        "- The data: whose photos, under which licence, with whose consent.\n"
        "- The licence of the weights, and of the base model if they need one.\n"
        "- What it does badly, with pictures.",
    ]
    path = weights.with_suffix(".md")
    write_whole(path, ("\n\n".join(sections) + "\n").encode())
    return path


def _table(values: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {_cell(value)} |" for name, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
