"""FID of what was drawn, in both forms: against the truth, and as published against training."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from posexfer_core.files.images import from_pil, load_image, to_pil

from ..data.deepfashion import renamed
from ..data.photos import DataError, picture_files
from ..data.shards import ShardDataset
from ..metrics.fid import FeatureStatistics, features_of, frechet_distance
from ..metrics.inception import Form, Inception
from ..metrics.judges import (
    INCEPTION_2015,
    INCEPTION_TORCHVISION,
    JudgeMissingError,
    load_judge,
)
from .run import Results

BATCH = 32
FORMS: dict[str, Form] = {"fid": "2015", "legacy_fid": "torchvision"}
Images = Float[Tensor, "batch 3 height width"]


def fid_scores(
    data: ShardDataset,
    results: Results,
    methods: Sequence[str],
    indices: Sequence[int],
    *,
    judges: Path | None,
    reference: Path | None,
    device: torch.device,
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Compute what can be computed.

    Args:
        data: the test pairs; their targets are the reference of `fid`.
        results: where the drawn images are.
        methods: of these.
        indices: of the pairs.
        judges: folder of weights.
        reference: pictures that `legacy_fid` compares with, or what was kept of them: DeepFashion's
            training pictures.
        device: to compute on.

    Returns:
        By method, `fid` and `legacy_fid`; and why one is missing.
    """
    scores: dict[str, dict[str, float]] = {method: {} for method in methods}
    notes: list[str] = []
    if len(indices) < 2:
        return scores, ["FID needs two pairs or more."]
    for name, form in FORMS.items():
        judge = INCEPTION_2015 if form == "2015" else INCEPTION_TORCHVISION
        try:
            network = Inception.of_state(form, load_judge(judge, judges)).to(device)
        except JudgeMissingError as error:
            notes.append(str(error))
            continue
        if form == "2015":
            wanted = FeatureStatistics.of(features_of(_targets(data, indices), network))
        elif reference is None:
            notes.append(
                "FID (legacy) cannot be computed: it compares with the pictures of training.\n"
                "Expected the root of DeepFashion, or statistics that were kept of it.\n"
                "Name it by --reference."
            )
            continue
        else:
            wanted = _reference(reference, results.folder, network, data)
        for method in methods:
            found = features_of(results.images(method, indices), network)
            scores[method][name] = frechet_distance(FeatureStatistics.of(found), wanted)
    return scores, notes


def _targets(data: ShardDataset, indices: Sequence[int]) -> Iterator[Images]:
    for first in range(0, len(indices), BATCH):
        images = [data.target_bytes(index) for index in indices[first : first + BATCH]]
        yield torch.stack(images).permute(0, 3, 1, 2) / 255.0


def _reference(
    reference: Path, folder: Path, network: Inception, data: ShardDataset
) -> FeatureStatistics:
    """Read the statistics of pictures, or compute and keep them, by the folder they are of."""
    digest = hashlib.sha256(str(reference.resolve()).encode()).hexdigest()[:12]
    kept = reference if reference.is_file() else folder / f"reference-{digest}.safetensors"
    if not kept.is_file():
        height, width = data.target_bytes(0).shape[:2]
        pictures = reference_pictures(reference)
        features = features_of(_resized(pictures, (height, width)), network)
        FeatureStatistics.of(features).save(kept)
    return FeatureStatistics.load(kept)


def reference_pictures(root: Path) -> list[Path]:
    """List the pictures of DeepFashion's training split, or all of a folder without its list.

    Raises:
        DataError: there are fewer than two.
    """
    pictures = list(picture_files(root)) if root.is_dir() else []
    for named in sorted(root.rglob("train.lst"))[:1]:
        names = {line.strip() for line in named.read_text().splitlines()}
        pictures = [path for path in pictures if renamed(path.relative_to(root)) in names]
    if len(pictures) < 2:
        raise DataError(
            f"{root} holds {len(pictures)} pictures to compare with.\n"
            "Expected the training pictures of DeepFashion, with train.lst beside them.\n"
            "Name their folder by --reference."
        )
    return pictures


def _resized(pictures: Iterable[Path], size: tuple[int, int]) -> Iterator[Images]:
    """Resize whole pictures by Pillow's bicubic filter, in batches, in [0, 1]."""
    batch: list[Tensor] = []
    for path in pictures:
        small = to_pil(load_image(path)).resize((size[1], size[0]), Image.Resampling.BICUBIC)
        batch.append((from_pil(small) + 1.0) / 2.0)
        if len(batch) == BATCH:
            yield torch.cat(batch)
            batch = []
    if batch:
        yield torch.cat(batch)
