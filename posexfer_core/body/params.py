"""The body parameters of one or more people over one or more frames, with their camera."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ParamsError
from ..files.archive import read_archive, write_archive
from ..geometry.rotations import axis_angle_to_matrix
from .hands_face import SHAPES as HANDS_FACE
from .hands_face import HandsFace, check_hands_face

FORMAT = "posexfer.params"
VERSION = 1
SIZE_KEY = "picture_size"
"""Of `image_size`, in files."""
MOST_PIXELS = 100_000_000
"""Largest image that parameters may belong to: maps of that size still fit into memory."""

_SHAPES: dict[str, tuple[str | int, ...]] = {
    "pose": ("frames", "persons", 24, 3),
    "betas": ("frames", "persons", 10),
    "transl": ("frames", "persons", 3),
    "intrinsics": ("frames", 3, 3),
    "camera_from_world": ("frames", 4, 4),
    "confidence": ("frames", "persons", 24),
}
_OPTIONAL = ("camera_from_world", "confidence")


@dataclass(frozen=True, kw_only=True, eq=False)
class HumanParams:
    """Pose, shape, place and camera of people; every frame has its own camera.

    An upright person who faces the camera has a root rotation of about `(pi, 0, 0)`: the rest
    body is y up and looks along +z, the camera is OpenCV's (x right, y down, z forward).
    """

    pose: Float[Tensor, "frames persons 24 3"]
    """Axis-angle rotation of each SMPL joint in its parent's frame, radians, root first."""
    betas: Float[Tensor, "frames persons 10"]
    """Shape coefficients; they mean something only together with `beta_space`."""
    transl: Float[Tensor, "frames persons 3"]
    """Shift of the posed body, metres, world frame; the root turns about the pelvis."""
    intrinsics: Float[Tensor, "frames 3 3"]
    """Pinhole matrix in pixels of the image; pixel centres at +0.5."""
    image_size: tuple[int, int]
    """`(height, width)` of the image that `intrinsics` belongs to, pixels."""
    camera_from_world: Float[Tensor, "frames 4 4"] = field(default=None)  # pyright: ignore
    """Rigid transform from world to camera; the identity when left out."""
    beta_space: str = "posexfer"
    """The body model that `betas` were made for: "posexfer" (bundled) or "smpl"."""
    confidence: Float[Tensor, "frames persons 24"] = field(default=None)  # pyright: ignore
    """How far each joint can be trusted, 0 to 1; ones when left out."""
    hands_face: HandsFace | None = None
    """Fingers, face and expression, for bodies that have them; None: at rest."""
    frame_rate: float | None = None
    """Frames per second of a motion, where it is known."""

    def __post_init__(self) -> None:
        """Fill what was left out, then check every shape and number."""
        _check_tensors({"pose": self.pose})
        frames, persons = self.pose.shape[:2]
        if self.camera_from_world is None:
            eye = torch.eye(4, dtype=self.pose.dtype, device=self.pose.device)
            object.__setattr__(self, "camera_from_world", eye.repeat(frames, 1, 1))
        if self.confidence is None:
            object.__setattr__(self, "confidence", self.pose.new_ones(frames, persons, 24))
        _check_tensors({name: getattr(self, name) for name in _SHAPES})
        if self.hands_face is not None and self.hands_face.fingers.shape[:2] != (frames, persons):
            raise ParamsError(
                f"hands_face has {tuple(self.hands_face.fingers.shape[:2])} frames and persons, "
                f"the pose {(frames, persons)}."
            )
        if min(frames, persons) < 1:
            raise ParamsError(
                f"The body parameters hold {frames} frames of {persons} persons; "
                "at least one of each is needed."
            )
        size = self.image_size
        if len(size) != 2 or min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
            raise ParamsError(
                f"image_size is {size}, expected (height, width) in pixels, both at least 1 and "
                f"at most {MOST_PIXELS // 10**6} million pixels in all."
            )
        if self.frame_rate is not None and not 0.0 < self.frame_rate < 1e5:
            raise ParamsError(
                f"frame_rate is {self.frame_rate}, expected frames per second, as 30.0."
            )
        if bool((self.intrinsics[:, [0, 1], [0, 1]] <= 0).any()):
            raise ParamsError(
                "intrinsics has a focal length that is not positive; expected focal lengths in "
                "pixels on the diagonal, as in [[f, 0, cx], [0, f, cy], [0, 0, 1]]."
            )

    @classmethod
    def single(
        cls,
        *,
        pose: Float[Tensor, "24 3"],
        betas: Float[Tensor, "10"],
        transl: Float[Tensor, "3"],
        intrinsics: Float[Tensor, "3 3"],
        image_size: tuple[int, int],
        beta_space: str = "posexfer",
    ) -> "HumanParams":
        """Build the parameters of one person in one image, camera at the world's origin."""
        return cls(
            pose=pose[None, None],
            betas=betas[None, None],
            transl=transl[None, None],
            intrinsics=intrinsics[None],
            image_size=image_size,
            beta_space=beta_space,
        )

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.pose.shape[0]

    @property
    def persons(self) -> int:
        """Number of persons in every frame."""
        return self.pose.shape[1]

    @property
    def rotations(self) -> Float[Tensor, "frames persons 24 3 3"]:
        """The pose as rotation matrices."""
        return axis_angle_to_matrix(self.pose)

    def select(self, frame: int | None = 0, person: int | None = 0) -> "HumanParams":
        """Keep one frame, one person, or all where None; the axes stay.

        Raises:
            ParamsError: there is no such frame or person.
        """
        if not (0 <= (frame or 0) < self.frames and 0 <= (person or 0) < self.persons):
            raise ParamsError(
                f"There is no frame {frame or 0}, person {person or 0}: the parameters hold "
                f"{self.frames} frame(s) of {self.persons} person(s), counted from 0."
            )
        frames, persons = (
            slice(None) if one is None else slice(one, one + 1) for one in (frame, person)
        )
        return self.part(frames, persons)

    def part(
        self, frames: slice | Int[Tensor, " kept"], persons: slice = slice(None)
    ) -> "HumanParams":
        """Keep some frames, in the order given, and some persons."""
        hands_face = self.hands_face
        kept = {
            name: getattr(self, name)[(frames, persons) if "persons" in shape else frames]
            for name, shape in _SHAPES.items()
        }
        hands_face = (
            None if hands_face is None else hands_face.each(lambda one: one[frames, persons])
        )
        return replace(self, **kept, hands_face=hands_face)

    def with_camera(
        self,
        intrinsics: Float[Tensor, "frames 3 3"],
        image_size: tuple[int, int],
        camera_from_world: Float[Tensor, "frames 4 4"] | None = None,
    ) -> "HumanParams":
        """Replace the camera; its extrinsics stay unless given."""
        return replace(
            self,
            intrinsics=intrinsics,
            image_size=image_size,
            camera_from_world=(
                self.camera_from_world if camera_from_world is None else camera_from_world
            ),
        )

    def with_neutral_betas(self, beta_space: str) -> "HumanParams":
        """Replace the betas by the mean shape of another body model, where they have no meaning."""
        hands_face = None if self.hands_face is None else self.hands_face.without_expression()
        return replace(
            self, betas=torch.zeros_like(self.betas), beta_space=beta_space, hands_face=hands_face
        )

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> "HumanParams":
        """Move every tensor to a device, a number type, or both."""
        moved = {name: getattr(self, name).to(device=device, dtype=dtype) for name in _SHAPES}
        hands_face = self.hands_face
        if hands_face is not None:
            hands_face = hands_face.each(lambda one: one.to(device=device, dtype=dtype))
        return replace(self, **moved, hands_face=hands_face)

    def save(self, path: Path | str) -> None:
        """Write a `.npz` that `load` reads back equal; whole or not at all.

        Raises:
            OutputError: the folder does not exist or cannot be written.
        """
        path = Path(path)
        arrays = {name: getattr(self, name).detach().cpu().numpy() for name in _SHAPES}
        if self.hands_face is not None:
            arrays |= {
                name: getattr(self.hands_face, name).detach().cpu().numpy() for name in HANDS_FACE
            }
        arrays |= {
            "format": np.array(FORMAT),
            "version": np.array(VERSION),
            SIZE_KEY: np.array(self.image_size, dtype=np.int64),
            "beta_space": np.array(self.beta_space),
        }
        if self.frame_rate is not None:
            arrays["frame_rate"] = np.array(self.frame_rate)
        write_archive(path, arrays)

    @classmethod
    def load(cls, path: Path | str) -> "HumanParams":
        """Read what `save` wrote. Nothing in the file is ever executed.

        Raises:
            ParamsError: the file is missing, damaged, something else, or holds bad numbers.
        """
        path = Path(path)
        return cls.from_arrays(read_archive(path), path.name)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], name: str) -> "HumanParams":
        """Make parameters of what `save` wrote; `name` is the file's, for errors.

        Raises:
            ParamsError: arrays are missing, of another kind, or hold bad numbers.
        """
        _check_format(name, arrays)
        required = {*_SHAPES, SIZE_KEY} - {*_OPTIONAL}
        if missing := sorted(required - arrays.keys()):
            raise ParamsError(
                f"{name} lacks {', '.join(missing)}; it holds "
                f"{', '.join(sorted(arrays)) or 'nothing'}. Expected a body parameter file as "
                "`posexfer estimate` writes it."
            )
        try:
            tensors = {key: _tensor(key, arrays[key]) for key in _SHAPES if key in arrays}
            _check_tensors(tensors)
            return cls(
                **tensors,
                image_size=_image_size(arrays[SIZE_KEY]),
                beta_space=str(arrays.get("beta_space", "posexfer")),
                hands_face=_hands_face(arrays),
                frame_rate=_frame_rate(arrays.get("frame_rate")),
            )
        except ParamsError as error:
            raise ParamsError(f"{name}: {error}") from error


def _check_tensors(tensors: dict[str, Tensor]) -> None:
    """Check shapes, against each other too, and that every number is finite."""
    sizes: dict[str, int] = {}
    for name, tensor in tensors.items():
        _check_tensor(name, tensor, sizes)
        if name == "pose":
            sizes = {"frames": tensor.shape[0], "persons": tensor.shape[1]}


def _check_tensor(name: str, tensor: Tensor, sizes: dict[str, int]) -> None:
    """Compare one tensor with its declared shape; names not in `sizes` fit any length."""
    expected = _SHAPES[name]
    if not tensor.is_floating_point():
        raise ParamsError(f"{name} is {tensor.dtype}, expected floating-point numbers.")
    lengths = [sizes.get(axis) if isinstance(axis, str) else axis for axis in expected]
    fits = len(tensor.shape) == len(lengths) and all(
        length is None or length == found
        for length, found in zip(lengths, tensor.shape, strict=True)
    )
    if not fits:
        raise ParamsError(
            f"{name} has shape {tuple(tensor.shape)}, expected "
            f"({', '.join(str(axis) for axis in expected)})"
            + "".join(f", {axis} = {count}" for axis, count in sizes.items() if axis in expected)
            + "."
        )
    bad = int((~torch.isfinite(tensor)).sum())
    if bad:
        raise ParamsError(
            f"{name} holds {bad} number(s) that are NaN or infinite. Estimate the pose again, or "
            "repair the file."
        )


def _check_format(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse a `.npz` of another kind, and one from a later version."""
    found = str(arrays.get("format", ""))
    if found != FORMAT:
        raise ParamsError(
            f"{name} is not a body parameter file of ours: format={found!r}, expected "
            f"{FORMAT!r}; it holds {', '.join(sorted(arrays)) or 'nothing'}. Was a body model or "
            "another tool's file picked instead?"
        )
    version = arrays.get("version")
    if version is None or version.size != 1 or version.dtype.kind not in "iu":
        raise ParamsError(f"{name} has no version number; write it again with `save`.")
    if int(version) > VERSION:
        raise ParamsError(
            f"{name} has version {int(version)}, this program reads up to {VERSION}. "
            "Update the program."
        )


def _tensor(name: str, array: np.ndarray) -> Tensor:
    """Turn an array from a file into a floating-point tensor."""
    if array.dtype.kind not in "fiu":
        raise ParamsError(f"{name} holds {array.dtype}, expected floating-point numbers.")
    kind = array.dtype.newbyteorder("=") if array.dtype.kind == "f" else np.dtype(np.float32)
    if kind.itemsize > 8:
        kind = np.dtype(np.float64)
    return torch.from_numpy(np.array(array, dtype=kind, order="C"))


def _hands_face(arrays: Mapping[str, np.ndarray]) -> HandsFace | None:
    """Read fingers, face and expression, which come together or not at all."""
    found = {name: _tensor(name, arrays[name]) for name in HANDS_FACE if name in arrays}
    if found and len(found) < len(HANDS_FACE):
        raise ParamsError(f"it holds {', '.join(found)}, but not all of {', '.join(HANDS_FACE)}.")
    if not found:
        return None
    check_hands_face(found)
    return HandsFace(**found)


def _frame_rate(array: np.ndarray | None) -> float | None:
    if array is None:
        return None
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise ParamsError(f"frame_rate is {array.dtype}{list(array.shape)}, expected one number.")
    return float(array.reshape(()))


def _image_size(array: np.ndarray) -> tuple[int, int]:
    if array.shape != (2,) or array.dtype.kind not in "iu":
        raise ParamsError(
            f"image_size has shape {array.shape} and type {array.dtype}, expected two whole "
            "numbers: height, width."
        )
    return int(array[0]), int(array[1])
