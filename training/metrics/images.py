"""PSNR and SSIM by scikit-image, after the 8-bit rounding that a saved image has."""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor


def to_unit(image: Float[Tensor, "3 height width"]) -> Float[np.ndarray, "height width 3"]:
    """Carry [-1, 1] to [0, 1], rounded to the 256 values that a file can hold."""
    rounded = ((image.detach().float().clamp(-1.0, 1.0) + 1.0) * 127.5).round() / 255.0
    return rounded.permute(1, 2, 0).cpu().numpy()


def psnr(image: Float[Tensor, "3 height width"], wanted: Float[Tensor, "3 height width"]) -> float:
    """Return `10 log10(1 / mse)`, dB, of images in [-1, 1]; data range 1.

    One grey level off everywhere gives 48.1 dB; equal images give infinity.
    """
    found, right = to_unit(image), to_unit(wanted)
    if np.array_equal(found, right):
        return math.inf
    return float(peak_signal_noise_ratio(right, found, data_range=1.0))


def ssim(image: Float[Tensor, "3 height width"], wanted: Float[Tensor, "3 height width"]) -> float:
    """Return the structural similarity (Wang et al. 2004) of images in [-1, 1].

    Gaussian window of sigma 1.5, data range 1, population covariance: the original's settings.
    """
    return _similarity(image, wanted, 1.0)[0]


def ssim_map(
    image: Float[Tensor, "3 height width"], wanted: Float[Tensor, "3 height width"]
) -> Float[Tensor, "height width"]:
    """Return every pixel's structural similarity; `ssim` averages all but five at each border."""
    return torch.from_numpy(_similarity(image, wanted, 1.0)[1]).float().mean(-1)


def ssim_uniform(
    image: Float[Tensor, "3 height width"], wanted: Float[Tensor, "3 height width"]
) -> float:
    """Return `legacy` SSIM as CFLD, PIDM, NTED, DPTN and PoCoLD print it.

    Uniform window of 51 pixels, sample covariance, data range 1: half the image in one window.
    """
    similarity: Any = structural_similarity(
        to_unit(wanted), to_unit(image), data_range=1.0, win_size=51, channel_axis=2
    )
    return float(similarity)


def ssim_own_range(
    image: Float[Tensor, "3 height width"], wanted: Float[Tensor, "3 height width"]
) -> float:
    """Return `legacy` SSIM_256 as CFLD computes it: `ssim`, with another data range.

    That is the span of the image that was drawn instead of all 256 levels, so that a picture of
    little contrast scores worse against the same truth.
    """
    found = to_unit(image)
    return _similarity(image, wanted, float(found.max() - found.min()) or 1.0)[0]


def _similarity(
    image: Float[Tensor, "3 height width"],
    wanted: Float[Tensor, "3 height width"],
    data_range: float,
) -> tuple[float, Float[np.ndarray, "height width 3"]]:
    """Compute the original's similarity: the score, and its map by channel."""
    found: Any = structural_similarity(
        to_unit(wanted),
        to_unit(image),
        data_range=data_range,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(found[0]), found[1]
