"""Write what pip is to install for a ComfyUI checkout, into the folder of its environment.

`python -m tests.nodes.host_requirements ~/ComfyUI constraints.txt .venv-host-0.3.64` writes
`requirements.txt` and `constraints.txt` there. The host's own requirements win: a version of ours
that they exclude is left out of the constraints.
"""

import sys
from pathlib import Path

from packaging.requirements import Requirement

FROM_BENEATH = {"torch", "torchvision", "torchaudio"}
"""Installed apart from the rest, or not at all: see `cpu_torch.py`."""

UNUSED = {"comfyui-workflow-templates", "comfyui-embedded-docs"}
"""Images for the page's template browser and its help: large."""


def read(path: Path) -> list[Requirement]:
    """Read the requirements of a file, without comments."""
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return [Requirement(line) for line in lines if line]


def name_of(requirement: Requirement) -> str:
    """Spell a package's name in one way."""
    return requirement.name.lower().replace("_", "-")


def agreeing(constraints: list[Requirement], wanted: list[Requirement]) -> list[Requirement]:
    """Drop the constraints, all of the form `name==version`, that `wanted` excludes."""
    by_name = {name_of(requirement): requirement.specifier for requirement in wanted}
    return [
        constraint
        for constraint in constraints
        if all(
            by_name[name_of(constraint)].contains(pin.version, prereleases=True)
            for pin in constraint.specifier
            if name_of(constraint) in by_name
        )
    ]


def main(checkout: Path, constraints: Path, folder: Path) -> None:
    """Write both files."""
    host = read(checkout / "requirements.txt")
    wanted = [one for one in host if name_of(one) not in FROM_BENEATH | UNUSED]
    pins = [one for one in agreeing(read(constraints), host) if name_of(one) != "torch"]
    for name, requirements in (("requirements", wanted), ("constraints", pins)):
        text = "".join(f"{requirement}\n" for requirement in requirements)
        (folder / f"{name}.txt").write_text(text)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
