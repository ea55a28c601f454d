"""What a run's pairs are made of: the tables [data] and [[source]] of its TOML."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from posexfer_core.errors import ConfigError
from posexfer_core.files.configs import read_config

Kind = Literal["deepfashion", "market", "folder", "video", "synthetic"]
Split = Literal["train", "test"]
Pairing = Literal["people", "self"]
People = Literal["plain", "clothed"]
STEP = 8
"""Sides of samples are multiples of this."""


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """Where some pairs come from. Each field may be set under a [[source]]."""

    kind: Kind
    """What is there."""
    name: str = ""
    """Of its folder of shards; the kind when left out."""
    root: Path | None = None
    """Folder of the data set; none for synthetic people, which are made."""
    weight: float = 1.0
    """Share of training, relative to those of the other sources."""
    split: Split = "train"
    """Of data sets that have lists of two."""
    pairs: Pairing = "people"
    """Two photos of one person in the same clothes, or each photo by itself (`self_pairs`)."""
    per_photo: int = 8
    """Sources of each target, at most, where no list says which."""
    gap: int = 5
    """Frames between source and target of a video, at least."""
    bodies: Path | None = None
    """Folder of body parameters and masks for the pictures of data sets, by their names."""
    count: int = 0
    """Synthetic pairs."""
    people: People = "clothed"
    """Kind of synthetic people; see `training.make_synthetic`."""
    seed: int = 1
    """Decides synthetic people."""

    def __post_init__(self) -> None:
        """Refuse what makes no source."""
        choices = {"kind": Kind, "split": Split, "pairs": Pairing, "people": People}
        for name, kind in choices.items():
            if getattr(self, name) not in get_args(kind):
                raise ConfigError(
                    f"[[source]] {name} is {getattr(self, name)!r}; expected one of "
                    f"{', '.join(get_args(kind))}."
                )
        if (self.root is None) != (self.kind == "synthetic"):
            raise ConfigError(
                f"[[source]] {self.kind} needs a root, the folder of its files."
                if self.root is None
                else "[[source]] synthetic makes its people: it has a count, and no root."
            )
        if self.kind == "synthetic" and self.count < 1:
            raise ConfigError(f"[[source]] synthetic: count={self.count} must be at least 1.")
        if not self.weight > 0.0 or min(self.per_photo, self.gap) < 1:
            raise ConfigError(
                f"[[source]] {self.kind}: weight={self.weight} must be above 0, "
                f"per_photo={self.per_photo} and gap={self.gap} at least 1."
            )

    @property
    def folder(self) -> str:
        """Name the folder of its shards."""
        return self.name or self.kind


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How samples are cut. Each field may be set under [data]."""

    height: int = 256
    """Of samples, pixels."""
    width: int = 176
    """Likewise; the field's sizes are 256x176 and 512x352."""
    crop: float = 0.0
    """Share of height and width that random crops cut off, at most."""
    flip: float = 0.0
    """Share of samples that are mirrored."""
    copies: int = 1
    """Samples made of each pair, each with a crop and a mirror of its own."""
    seed: int = 0
    """Decides crops, mirrors and which photos are paired."""
    shard_size: int = 256
    """Samples in a file."""
    detector: Path | None = None
    """As in `BodyRules`, and so are the next two."""
    most_fit_error: float = 0.05
    least_overlap: float = 0.5
    sources: tuple[SourceConfig, ...] = field(default=())
    """The tables [[source]]."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no samples."""
        if self.height % STEP or self.width % STEP or min(self.height, self.width) < STEP:
            raise ConfigError(
                f"[data] height={self.height} and width={self.width} must be multiples of {STEP}."
            )
        if not (0.0 <= self.crop < 1.0 and 0.0 <= self.flip <= 1.0):
            raise ConfigError(
                f"[data] crop={self.crop} must be in [0, 1), flip={self.flip} in [0, 1]."
            )
        if min(self.copies, self.shard_size) < 1:
            raise ConfigError(
                f"[data] copies={self.copies} and shard_size={self.shard_size} must be at least 1."
            )
        names = [source.folder for source in self.sources]
        if len(set(names)) < len(names):
            raise ConfigError(
                f"[[source]] names must differ, found {', '.join(names)}. Give each a name."
            )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of samples, pixels."""
        return self.height, self.width


def read_data_config(raw: dict[str, Any], name: str) -> DataConfig | None:
    """Read [data] and [[source]] of a TOML; None where it has no source.

    Raises:
        ConfigError: a table has an unknown or impossible entry.
    """
    tables = raw.get("source", [])
    if not isinstance(tables, list):
        raise ConfigError(f"{name}: write [[source]], with two brackets; there may be several.")
    if not tables and "data" not in raw:
        return None
    if not tables:
        raise ConfigError(f"{name}: [data] says how pairs are cut; add a [[source]] of pairs.")
    sources = tuple(read_config(SourceConfig, one, name=f"{name}: [[source]]") for one in tables)
    if "sources" in (table := raw.get("data", {})):
        raise ConfigError(f"{name}: [data] has no sources; write [[source]].")
    return read_config(DataConfig, {**table, "sources": sources}, name=f"{name}: [data]")
