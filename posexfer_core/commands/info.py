"""`posexfer info`: what a weights file holds and how well it did."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from ..files.weights import open_tensors, read_header
from ..network.weights import BUNDLED_WEIGHTS
from .options import print_line

HELP = "Show what a weights file holds: configuration, parameter counts, recipe and scores."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "weights",
        type=Path,
        nargs="?",
        default=BUNDLED_WEIGHTS,
        help=".safetensors file; default: the bundled tiny weights",
    )


def run(options: argparse.Namespace) -> None:
    """Print the header as one line per setting."""
    header = read_header(options.weights)
    print_line(f"file: {options.weights.name} ({options.weights.stat().st_size / 1e6:.1f} MB)")
    print_line(f"format: {header.format}, version {header.version}")
    for part, count in parameter_counts(options.weights).items():
        print_line(f"parameters.{part}: {count / 1e6:.2f} million")
    for name, value in {**header.config, "recipe": header.recipe}.items():
        print_nested(name, value)


def parameter_counts(path: Path) -> dict[str, int]:
    """Count the numbers of each part of a weights file, without reading them."""
    counts: Counter[str] = Counter()
    with open_tensors(path) as file:
        for name in file.keys():  # noqa: SIM118
            counts[name.partition(".")[0]] += prod(file.get_slice(name).get_shape())
    return dict(counts)


def print_nested(name: str, value: Any) -> None:
    """Print mappings as dotted names and anything else as JSON."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            print_nested(f"{name}.{key}", inner)
    else:
        print_line(f"{name}: {value if isinstance(value, str) else json.dumps(value)}")
