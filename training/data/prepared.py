"""Conditions of every pair, computed once and kept as bytes beside the shards."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.conventions import DEPTH_LIMIT_M
from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import replacing, write_whole
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, USUAL_MAPS, NetworkConfig
from posexfer_core.transfer.inputs import prepare_inputs, warp_images

from ..processes import ALL, Part, in_order, one_at_a_time
from .encoders import EncoderFiles
from .shards import Pair, ShardDataset

KIND = "prepared"
"""First word of the files' names."""
PLANES = {name: MAP_CHANNELS[name] for name in USUAL_MAPS} | {"source_maps": 4}
"""Order and channels of the byte planes."""
WARP = 8
"""Version of the warp that is kept; raised where another one is made."""
MASKED = 0.75
"""Share of pairs whose person is known by a mask, where shards hold one."""
RANGE = {"depth": DEPTH_LIMIT_M, "canonical": 1.25, "source_maps": 1.25}
"""Largest value of a plane where it is not 1."""


class KeptRows:
    """Reads what was computed of every pair and kept, a file beside every shard."""

    def __init__(self, data: ShardDataset, folder: Path, kind: str) -> None:
        self.data = data
        self.files = [
            safe_open(folder / name, framework="pt") for name in prepared_names(data, kind)
        ]
        self.starts = data.starts

    def __len__(self) -> int:
        return len(self.data)

    def row(self, index: int) -> dict[str, Tensor]:
        """Load what was kept of one pair."""
        shard, row = self.data.locate(index)
        file = self.files[shard]
        return {name: file.get_slice(name)[row] for name in file.keys()}  # noqa: SIM118

    def batch(self, indices: list[int]) -> dict[str, Tensor]:
        """Load what was kept of some pairs."""
        return stacked([self.row(index) for index in indices])


class PreparedDataset(KeptRows):
    """Reads what `prepare` wrote; items are joined with the images of the shards."""

    def __init__(self, data: ShardDataset, folder: Path) -> None:
        super().__init__(data, folder, KIND)

    def row(self, index: int) -> dict[str, Tensor]:
        """Load one pair: source image, planes, latents, points and the source's parameters."""
        return super().row(index) | {"image": self.data.source_bytes(index)}


def prepare(
    data: ShardDataset,
    files: EncoderFiles,
    folder: Path,
    config: NetworkConfig,
    *,
    jitter: float,
    workers: int = 1,
    part: Part = ALL,
) -> None:
    """Compute the conditions of every shard that has none yet, or those of another shard.

    Several processes may call this together: one does the work, the others wait for it.

    Args:
        data: the shards.
        files: of the autoencoder whose latents are kept, and of CLIP.
        folder: made if missing; must not hold the work of other settings.
        config: of the network: how many points, and what their depth is.
        jitter: share of pairs whose source body is moved a little, as an estimator's is.
        workers: processes.
        part: which of the shards; others are left to other machines.

    Raises:
        CheckpointError: the autoencoder or CLIP cannot be loaded; the folder is left as it is.
        ConfigError: the folder was made with another autoencoder, jitter, warp or choice of points.
    """
    stamp = {
        **files.load(config).digests,
        "jitter": jitter,
        "warp": WARP,
        "points": config.points,
        "camera_depth": config.ablation.z_mode == "camera",
    }
    everything = replace(config, ablation=replace(config.ablation, prior_2d=True, warp=True))
    folder.mkdir(parents=True, exist_ok=True)
    lock = one_at_a_time(folder) if part.of == 1 else nullcontext()
    with lock, torch.random.fork_rng(devices=[]):  # first weights are the same after as without
        check_stamp(
            folder / "prepared.json",
            stamp,
            "another autoencoder, jitter, warp or choice of points. Name another folder under "
            "[network] prepared, or remove this one.",
        )
        work = [
            (data.folder, shard, folder / name, files, everything, jitter)
            for shard, name in enumerate(prepared_names(data, KIND))
            if part.has(shard) and not is_made(folder / name, data.headers[shard])
        ]
        if work:
            done = in_order(_prepare_shard, work, workers=min(workers, len(work)))
            list(tqdm(done, total=len(work), desc="preparing shards"))


def check_stamp(note: Path, stamp: Mapping[str, object], otherwise: str) -> None:
    """Write the settings into a new folder, and refuse a folder of other settings.

    Args:
        note: file of the settings.
        stamp: the settings.
        otherwise: what the folder was prepared with if not these, and what to do.

    Raises:
        ConfigError: the folder was prepared with others.
    """
    if not note.exists():
        write_whole(note, json.dumps(dict(stamp)).encode())
    elif json.loads(note.read_text()) != stamp:
        raise ConfigError(f"{note.parent} was prepared with {otherwise}")


def prepared_names(data: ShardDataset, kind: str = KIND) -> list[str]:
    """Name the file of every shard, by its source's folder where it is in one."""
    return [
        "-".join(path.relative_to(data.folder).parts).replace("shard-", f"{kind}-")
        for path in data.paths
    ]


def is_made(path: Path, header: dict[str, Any]) -> bool:
    """Tell whether a prepared file is there, and of the shard that is there now."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("digest", "") == header.get("digest", "")
    except (SafetensorError, OSError):
        return False


def write_rows(path: Path, rows: list[dict[str, Tensor]], header: dict[str, Any]) -> None:
    """Write what was computed of a shard's pairs, whole or not at all."""
    with replacing(path) as partial:
        save_file(stacked(rows), partial, metadata={"digest": header.get("digest", "")})


def stacked(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Join rows along a new first axis."""
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def decode_planes(
    planes: UInt8[Tensor, "batch planes height width"],
) -> dict[str, Float[Tensor, "batch channels height width"]]:
    """Carry bytes back to maps; 0 is exact."""
    decoded, start = {}, 0
    values = (planes.float() - 128.0) / 127.0
    for name, channels in PLANES.items():
        decoded[name] = values[:, start : start + channels] * RANGE.get(name, 1.0)
        start += channels
    return decoded


def encode_planes(
    maps: dict[str, Float[Tensor, "batch channels height width"]],
) -> UInt8[Tensor, "batch planes height width"]:
    """Carry maps to bytes: 128 is zero, 1 and 255 are the ends of the range."""
    planes = torch.cat([maps[name] / RANGE.get(name, 1.0) for name in PLANES], 1)
    return (planes * 127.0 + 128.0).round().clamp(0, 255).to(torch.uint8)


@torch.no_grad()
def _prepare_shard(work: tuple[Path, int, Path, EncoderFiles, NetworkConfig, float]) -> None:
    """Compute one file; written whole or not at all."""
    data_folder, shard, path, files, config, jitter = work
    data, body = ShardDataset(data_folder), BodyModel.bundled()
    encoders = files.load(config)
    has_masks = bool(data.headers[shard].get("coverage"))
    rows: list[dict[str, Tensor]] = []
    for index in range(data.starts[shard], data.starts[shard + 1]):
        pair = data.pair(index)
        generator = torch.Generator().manual_seed(index)
        source_params = pair.source
        if torch.rand((), generator=generator) < jitter:
            source_params = jitter_params(source_params, generator)
        mask = None
        if has_masks and torch.rand((), generator=generator) < MASKED:
            covered = data.coverage(index, "source")[None, None] / 255.0
            mask = covered if covered.any() else None
        source, target = BodyView.of(source_params, body), BodyView.of(pair.target, body)
        image = pair.source_image[None]
        inputs = prepare_inputs(
            image,
            source,
            target,
            warp_images(image, source, target, mask),
            config=config,
            encode=encoders.latents,
        )
        kept = {
            "target_latents": encoders.latents(pair.target_image[None]),
            **encoders.source(image),
        }
        rows.append(_row(pair, inputs, kept))
    write_rows(path, rows, data.headers[shard])


def jitter_params(params: HumanParams, generator: torch.Generator) -> HumanParams:
    """Move a body by about what a good estimator is off: 3 degrees, 1 cm, a third of a beta."""

    def noise(like: Tensor, std: float) -> Tensor:
        return std * torch.randn(like.shape, generator=generator)

    return replace(
        params,
        pose=params.pose + noise(params.pose, 0.05),
        betas=params.betas + noise(params.betas, 0.3),
        transl=params.transl + noise(params.transl, 0.01),
    )


def _row(pair: Pair, inputs: ConditionInputs, kept: dict[str, Tensor]) -> dict[str, Tensor]:
    assert inputs.warp_latents is not None
    maps = {**inputs.maps, "source_maps": inputs.source_maps}
    return {
        "planes": encode_planes(maps)[0],
        **{name: values[0].half() for name, values in kept.items()},
        "warp_latents": inputs.warp_latents[0].half(),
        "points": inputs.points[0].half(),
        "rotations": pair.source.rotations[0, 0],
        "betas": pair.source.betas[0, 0],
    }
