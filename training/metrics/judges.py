"""Weights of the networks that judge images: files of the user's own; nothing is downloaded."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from posexfer_core.errors import PoseXferError

ENVIRONMENT = "POSEXFER_JUDGES"
"""Environment variable that names the folder of the files."""


class JudgeMissingError(PoseXferError):
    """The weights of a metric's network are not there, or are others."""


@dataclass(frozen=True, kw_only=True)
class JudgeFile:
    """Weights of one network, under the names that their makers gave the file."""

    metric: str
    """What is computed with it."""
    names: tuple[str, ...]
    page: str
    """Where people get it."""


ALEX = JudgeFile(
    metric="LPIPS (Alex)",
    names=("alexnet-owt-7be5be79.pth", "alexnet-owt-4df8aa71.pth"),
    page="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
)
VGG = JudgeFile(
    metric="LPIPS (VGG)",
    names=("vgg16-397923af.pth",),
    page="https://download.pytorch.org/models/vgg16-397923af.pth",
)
INCEPTION_TORCHVISION = JudgeFile(
    metric="FID (legacy)",
    names=("inception_v3_google-0cc3c7bd.pth", "inception_v3_google-1a9a5a14.pth"),
    page="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
)
INCEPTION_2015 = JudgeFile(
    metric="FID",
    names=(
        "pt_inception-2015-12-05-6726825d.pth",
        "weights-inception-2015-12-05-6726825d.pth",
    ),
    page="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
)


def judges_folder() -> Path:
    """Return the folder in which weights are looked for where none is named."""
    return Path(os.environ.get(ENVIRONMENT) or "~/.posexfer/judges").expanduser()


def load_judge(judge: JudgeFile, folder: Path | None = None) -> dict[str, Tensor]:
    """Read the tensors of a judge; no pickle is executed.

    Args:
        judge: which.
        folder: where; `judges_folder()` when left out.

    Raises:
        JudgeMissingError: there is no such file, or it holds no tensors.
    """
    folder = folder or judges_folder()
    found = next((folder / name for name in judge.names if (folder / name).is_file()), None)
    if found is None:
        raise JudgeMissingError(
            f"{judge.metric} cannot be computed: {folder} has no {judge.names[0]}.\n"
            f"Expected the file as it is published at {judge.page}.\n"
            f"Put it there, or name its folder by --judges or ${ENVIRONMENT}; the other metrics "
            "are computed without it."
        )
    return read_tensors(found)


def load_lpips_heads(net: str) -> dict[str, Tensor]:
    """Read LPIPS's learned channel weights, version 0.1, from the package lpips.

    Args:
        net: "alex" or "vgg".

    Raises:
        JudgeMissingError: the package is not installed.
    """
    package = find_spec("lpips")  # not imported: it would import torchvision
    if package is None or package.origin is None:
        raise JudgeMissingError(
            f"LPIPS ({net}) cannot be computed: the package lpips is not installed.\n"
            "Expected its channel weights, version 0.1, which are small and inside the package.\n"
            "pip install 'posexfer[metrics]'; the other metrics are computed without it."
        )
    return read_tensors(Path(package.origin).parent / "weights" / "v0.1" / f"{net}.pth")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of tensors by name.

    Raises:
        JudgeMissingError: it is damaged or holds something else.
    """
    try:
        tensors = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, UnpicklingError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise JudgeMissingError(_unusable(path, reason)) from error
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise JudgeMissingError(_unusable(path, "it holds something else"))
    return tensors


def _unusable(path: Path, reason: str) -> str:
    return (
        f"{path} cannot be used: {reason[:200]}.\n"
        "Expected a file of tensors by name, as torch.save writes a state_dict.\n"
        "Get it again, whole, from where it is published."
    )
