"""Poses of people without images, as `training.make_poses` writes them."""

from pathlib import Path

from jaxtyping import Float
from numpy import ndarray
from safetensors import SafetensorError, safe_open

from posexfer_core.conventions import JOINT_COUNT
from posexfer_core.errors import ConfigError

FORMAT = "posexfer.poses"


def load_poses(path: Path) -> Float[ndarray, "poses 24 3"]:
    """Read poses: axis-angle, the root relative to a camera.

    Raises:
        ConfigError: the file is missing or something else.
    """
    advice = f"Draw poses with `python -m training.make_poses --out {path} --count 65536 --seed 1`."
    if not path.is_file():
        raise ConfigError(f"{path} is no file. {advice}")
    try:
        with safe_open(path, framework="pt") as file:
            poses = file.get_tensor("pose") if _is_ours(file.metadata()) else None
    except SafetensorError as error:
        raise ConfigError(f"{path} cannot be read: {error}. {advice}") from error
    if poses is None or poses.shape[1:] != (JOINT_COUNT, 3):
        raise ConfigError(f"{path} holds no poses. {advice}")
    return poses.double().numpy()


def _is_ours(metadata: dict[str, str] | None) -> bool:
    return (metadata or {}).get("format") == FORMAT
