"""One training run, as one TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.errors import ConfigError
from posexfer_core.files.configs import read_config

from .data.data_config import DataConfig, read_data_config
from .run_config import RunConfig


@dataclass(frozen=True, kw_only=True)
class AutoencoderTraining:
    """Train a `PatchAutoencoder`. Each field may be set under [autoencoder]."""

    crop: int = 96
    """Side of the square crops that are trained on, pixels."""
    latent_noise: float = 0.05
    """Standard deviation of the noise on latents, so that the decoder tolerates a sampler's."""
    start_images: int = 512
    """Images whose patches give the principal components to start from."""
    texture_share: float = 0.2
    """Share of crops replaced by coloured noise with the spectrum of photographs."""
    refine: Path | None = None
    """Autoencoder to continue from with its encoder frozen, so that networks trained on its latents
    stay valid; none starts anew, with the sizes under [model]."""


@dataclass(frozen=True, kw_only=True)
class PairTraining:
    """What is trained on prepared pairs. Each field may be set under the task's section."""

    prepared: Path
    """Folder where conditions of the shards are kept, computed once."""
    autoencoder: Path | None = None
    """File of the trained autoencoder, or a bundle that has one; it stays as it is. The bundled one
    when left out, or with [base] the base's VAE."""
    start: Path | None = None
    """Bundle or adapter to start from: its sizes are taken, but for those under [model], and every
    tensor of the same name and shape is loaded."""
    drop_all: float = 0.05
    """Share of pairs trained without any condition."""
    drop_identity: float = 0.1
    """Share of pairs trained with the pose alone."""
    drop_warp: float = 0.2
    """Share of pairs trained without the appearance warp."""
    drop_prior: float = 0.1
    """Share of pairs trained without any rendered map."""
    drop_map: float = 0.1
    """Share at which each rendered map is left out on its own."""
    drop_source_body: float = 0.1
    """Share of pairs whose source body is withheld from the encoder."""
    source_jitter: float = 0.5
    """Share of pairs whose source body is a little off, as an estimator's is."""

    def __post_init__(self) -> None:
        """Refuse shares outside [0, 1]."""
        for entry in fields(self):
            if entry.name.startswith("drop_") and not 0.0 <= getattr(self, entry.name) <= 1.0:
                value = getattr(self, entry.name)
                raise ConfigError(f"{entry.name} must be in [0, 1], got {value}.")
        if self.drop_all + self.drop_identity > 1.0:
            raise ConfigError("drop_all and drop_identity must not exceed 1 together.")


@dataclass(frozen=True, kw_only=True)
class BaseTraining(BaseFiles):
    """The frozen model that the network is an adapter of. Each field may be set under [base]."""

    precision: Literal["no", "bf16", "fp16"] = "no"
    """What its UNet is kept and computed in; "no" is float32, twice the memory of the others."""

    def __post_init__(self) -> None:
        """Refuse paths that lead nowhere and precisions that there are not."""
        super().__post_init__()
        if self.precision not in ("no", "bf16", "fp16"):
            raise ConfigError(
                f"[base] precision must be 'no', 'bf16' or 'fp16', got {self.precision!r}."
            )


@dataclass(frozen=True, kw_only=True)
class NetworkTraining(PairTraining):
    """Train the network and its UNet by L_Overall."""

    snr_gamma: float = 5.0
    """Cap of min-SNR weighting (arXiv:2303.09556); 0 turns it off."""
    human_params: Literal["rotation_6d", "axis_angle"] = "rotation_6d"
    """Form of L_HPL: on 6D rotations, or the poster's L2 norm of axis-angle and betas."""
    human_params_weight: float = 0.02
    """Weight of L_HPL."""
    noises: int = 2
    """Noise levels that each pair is trained at in a step; the condition is computed once."""
    freeze_prior: bool = False
    """Freeze the 2D prior with its head, except for the projections into the UNet."""
    trained: Literal["all", "keys_values"] = "all"
    """Everything but a base, or at each cross-attention the projections to keys and values alone:
    fewer memories of Adam, for a network that has been trained before (`start`)."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        super().__post_init__()
        if self.trained not in ("all", "keys_values"):
            raise ConfigError(f"trained must be 'all' or 'keys_values', got {self.trained!r}.")
        if self.trained == "keys_values" and self.start is None:
            raise ConfigError(
                "[network] trained is 'keys_values' and there is no start.\nExpected weights to "
                "start from: what new weights add begins at zero and would stay there.\n"
                "Name a bundle or an adapter under start, or train 'all'."
            )
        if self.noises < 1:
            raise ConfigError(f"noises must be at least 1, got {self.noises}.")
        if self.human_params not in ("rotation_6d", "axis_angle"):
            raise ConfigError(
                f"human_params must be 'rotation_6d' or 'axis_angle', got {self.human_params!r}."
            )


@dataclass(frozen=True, kw_only=True)
class PriorHeadTraining(PairTraining):
    """Train the 2D prior and its head alone: many times faster, and a start for [network]."""


@dataclass(frozen=True, kw_only=True)
class RegressorTraining:
    """Train a `BodyRegressor`. Each field may be set under [regressor]."""

    turn_deg: float = 15.0
    """Standard deviation of turns in the image's plane."""
    zoom_low: float = 0.65
    """Smallest zoom of an image."""
    zoom_high: float = 1.3
    """Largest zoom of an image."""
    shift: float = 0.12
    """Standard deviation of shifts, halves of the image's height."""
    augmented_share: float = 0.5
    """Share of images that are occluded, blurred, recoloured and given noise."""
    rotation_weight: float = 1.0
    """Of the mean distance of rotation matrices."""
    joint_weight: float = 5.0
    """Of the mean distance of joints from where they are, metres, pelvis on pelvis."""
    pixel_weight: float = 5.0
    """Of the mean distance of joints in the image, halves of its height."""
    map_weight: float = 0.5
    """Of the cross-entropy of the joints' heat maps."""
    camera_weight: float = 1.0
    """Of the error of the weak camera."""
    beta_weight: float = 0.05
    """Of the squared error of betas."""

    def __post_init__(self) -> None:
        """Refuse an empty range of zooms."""
        if not 0.0 < self.zoom_low <= self.zoom_high:
            raise ConfigError(
                f"zoom_low and zoom_high are {self.zoom_low} and {self.zoom_high}; "
                "expected positive numbers, the lower first."
            )


@dataclass(frozen=True, kw_only=True)
class LifterTraining:
    """Train a `PoseLifter`. Each field may be set under [lifter]; shares are of people."""

    half_share: float = 0.5
    """With the legs of another."""
    arm_share: float = 0.6
    """With the arms of another."""
    free_share: float = 0.25
    """With every joint drawn from the fit's joint prior, within the limits of motion."""
    jitter_share: float = 0.7
    """With all joints turned a little at random."""
    jitter: float = 0.25
    """Largest standard deviation of such a turn, radians about each axis."""
    noise: float = 0.014
    """Largest standard deviation of keypoints, shares of the person's extent."""
    missing: float = 0.3
    """Largest share of keypoints that are not seen."""
    focal_error: float = 0.3
    """Largest error of the logarithm of the assumed focal length."""


SECTIONS = {
    "autoencoder": AutoencoderTraining,
    "network": NetworkTraining,
    "prior_head": PriorHeadTraining,
    "regressor": RegressorTraining,
    "lifter": LifterTraining,
}
"""What a run may train; a TOML has one of these."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A run and the one thing it trains."""

    run: RunConfig
    task: AutoencoderTraining | PairTraining | RegressorTraining | LifterTraining
    model: dict[str, Any] = field(default_factory=dict)
    """Changes to the config of what is trained, under [model]: sizes and ablation switches."""
    data: DataConfig | None = None
    """What `training.preprocess` makes the pairs of, under [data] and [[source]]."""
    base: BaseTraining | None = None
    """The frozen model that the network is trained over; none where it has a UNet of its own."""

    def __post_init__(self) -> None:
        """Refuse two autoencoders."""
        task = self.task
        if self.base and isinstance(task, PairTraining) and task.autoencoder is not None:
            raise ConfigError(
                f"There are two autoencoders: {task.autoencoder} and the base's VAE.\n"
                "Expected one: a base's UNet draws latents of its own VAE.\n"
                "Leave out autoencoder, or the section [base]."
            )

    @classmethod
    def from_toml(cls, path: Path) -> "TrainConfig":
        """Read one run.

        Raises:
            ConfigError: the file is missing, is no TOML, or holds an unknown name.
        """
        try:
            raw = tomllib.loads(path.read_text())
        except FileNotFoundError as error:
            raise ConfigError(
                f"There is no file {path}. Give a TOML as in training/configs."
            ) from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path.name} is not TOML: {error}") from error
        return cls.from_table(raw, path.name)

    @classmethod
    def from_table(cls, raw: Mapping[str, Any], file: str) -> "TrainConfig":
        """Read one run from what its TOML holds.

        Raises:
            ConfigError: a name is unknown, or a value cannot be.
        """
        if unknown := raw.keys() - {"run", "model", "base", "data", "source", *SECTIONS}:
            raise ConfigError(f"{file}: unknown sections {sorted(unknown)}.")
        if len(chosen := sorted(raw.keys() & SECTIONS.keys())) != 1:
            raise ConfigError(
                f"{file}: has {chosen or 'none'} of the sections "
                f"{', '.join(f'[{name}]' for name in SECTIONS)}; give one of them."
            )
        name = chosen[0]
        if "base" in raw and SECTIONS[name] is not NetworkTraining:
            raise ConfigError(f"{file}: [base] goes with [network], and there is [{name}].")
        return cls(
            run=read_config(RunConfig, raw.get("run", {}), name=f"{file}: [run]"),
            task=read_config(SECTIONS[name], raw[name], name=f"{file}: [{name}]"),
            model=raw.get("model", {}),
            data=read_data_config(dict(raw), file),
            base=read_config(BaseTraining, raw["base"], name=f"{file}: [base]")
            if "base" in raw
            else None,
        )
