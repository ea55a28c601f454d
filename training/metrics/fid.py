"""Fréchet inception distance (Heusel et al., NeurIPS 2017) between two sets of images."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.linalg import eigvalsh
from torch import Tensor, nn

from posexfer_core.errors import PoseXferError
from posexfer_core.files.atomic import replacing


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureStatistics:
    """Mean and covariance of the features of a set of images."""

    count: int
    mean: Float[ndarray, " features"]
    covariance: Float[ndarray, "features features"]
    """Unbiased, as `numpy.cov` gives it."""

    @classmethod
    def of(cls, features: Float[ndarray, "images features"]) -> "FeatureStatistics":
        """Compute both in double precision, of at least two images."""
        features = features.astype(np.float64)
        return cls(
            count=len(features), mean=features.mean(0), covariance=np.cov(features, rowvar=False)
        )

    def save(self, path: Path) -> None:
        """Write a safetensors file, whole or not at all."""
        tensors = {"mean": self.mean, "covariance": self.covariance, "count": np.array(self.count)}
        with replacing(path) as partial:
            save_file(tensors, partial)

    @classmethod
    def load(cls, path: Path) -> "FeatureStatistics":
        """Read what `save` wrote.

        Raises:
            PoseXferError: the file is missing or something else.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                mean, covariance, count = (
                    file.get_tensor(name) for name in ("mean", "covariance", "count")
                )
        except (SafetensorError, OSError) as error:
            raise PoseXferError(
                f"{path} holds no statistics of images: {error}.\n"
                "Expected a reference.safetensors that `python -m training.evaluate` wrote.\n"
                "Compute it again, or leave --reference out."
            ) from error
        return cls(count=int(count), mean=mean, covariance=covariance)


def frechet_distance(found: FeatureStatistics, wanted: FeatureStatistics) -> float:
    """Return `|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2))`.

    The trace of the root is the sum of the roots of the eigenvalues of `C C'`, which are those of
    the symmetric `S C' S` with `S = C^(1/2)`: no root of an indefinite matrix is taken. Worked
    number: in one dimension, means 0 and 3, variances 1 and 4: 9 + 1 + 4 - 2 * 2 = 10.
    """
    values, vectors = np.linalg.eigh(np.atleast_2d(found.covariance))
    root = (vectors * np.sqrt(values.clip(0.0))) @ vectors.T
    inner = root @ np.atleast_2d(wanted.covariance) @ root
    common = np.sqrt(eigvalsh((inner + inner.T) / 2.0).clip(0.0)).sum()
    apart = float(np.square(found.mean - wanted.mean).sum())
    spread = np.trace(np.atleast_2d(found.covariance)) + np.trace(np.atleast_2d(wanted.covariance))
    return apart + float(spread - 2.0 * common)


def features_of(
    batches: Iterable[Float[Tensor, "batch 3 height width"]], network: nn.Module
) -> Float[ndarray, "images features"]:
    """Compute the features of images in [0, 1]; no image is dropped, whatever the batches."""
    device = next(network.parameters()).device
    found = [network(batch.to(device)).cpu() for batch in batches]
    return torch.cat(found).numpy()
