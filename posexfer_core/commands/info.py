"""`posexfer info`: what a weights file holds and how well it did."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

from safetensors import safe_open

from ..files.safetensors import opened
from ..network.weights import BUNDLED_WEIGHTS, read_header
from ..pose_networks.weights import LIFTER, REGRESSOR
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
    header = described(options.weights)
    print_line(f"file: {options.weights.name} ({options.weights.stat().st_size / 1e6:.1f} MB)")
    print_line(f"format: {header.pop('format')}, version {header.pop('version')}")
    for part, count in parameter_counts(options.weights).items():
        print_line(f"parameters.{part}: {count / 1e6:.2f} million")
    for name, value in header.items():
        print_nested(name, value or {})


def described(path: Path) -> dict[str, Any]:
    """Read what the header of any of our weights files says.

    Raises:
        CheckpointError: the file is missing, damaged, or something else.
    """
    with opened(path) as file:
        format_name = (file.metadata() or {}).get("format")
    for estimator in (REGRESSOR, LIFTER):
        if estimator.format == format_name:
            return estimator.header(path)
    return asdict(read_header(path))


def parameter_counts(path: Path) -> dict[str, int]:
    """Count the numbers of each part of a weights file, without reading them."""
    counts: Counter[str] = Counter()
    with safe_open(path, framework="pt") as file:
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
