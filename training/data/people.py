"""Every image of a folder of shards at a small size, in memory, with its body as targets."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from jaxtyping import Float, UInt8
from safetensors import safe_open
from torch import Tensor

from posexfer_core.body.model import BodyModel, pose_joints
from posexfer_core.geometry.rotations import axis_angle_to_matrix

from .shards import ShardDataset

CHUNK = 2048


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """Images of one person each; the camera looks through their middle."""

    images: UInt8[Tensor, "people 3 height width"]
    rotations: Float[Tensor, "people 24 3 3"]
    """Relative to the parent; the root's relative to the camera."""
    betas: Float[Tensor, "people 10"]
    joints: Float[Tensor, "people 24 3"]
    """Metres, camera frame."""
    focal: Float[Tensor, " people"]
    """Focal length in halves of the image's height."""

    def __len__(self) -> int:
        """Count the images."""
        return len(self.images)

    def take(self, indices: list[int]) -> "People":
        """Pick some images."""
        return People(**{name: tensor[indices] for name, tensor in vars(self).items()})


class RestJoints:
    """Joints of a body at rest, linear in the betas: no vertex is moved."""

    def __init__(self, body: BodyModel) -> None:
        self.mean = body.joint_regressor @ body.v_template
        self.shape = torch.einsum("jv,vxs->jxs", body.joint_regressor, body.shapedirs)

    def __call__(self, betas: Float[Tensor, "batch 10"]) -> Float[Tensor, "batch 24 3"]:
        """Place the joints of the T-pose, metres."""
        return self.mean.to(betas) + torch.einsum("jxs,bs->bjx", self.shape.to(betas), betas)


def load_people(data: ShardDataset, size: tuple[int, int], body: BodyModel) -> People:
    """Read both images of every pair, shrunk to `size` (height, width) by averaging."""
    rest = RestJoints(body)
    parts: dict[str, list[Tensor]] = {name: [] for name in People.__dataclass_fields__}
    for path in data.paths:
        with safe_open(path, framework="pt") as file:
            for role in ("source", "target"):
                for name, tensor in _read(file, role, size, rest).items():
                    parts[name].append(tensor)
    return People(**{name: torch.cat(tensors) for name, tensors in parts.items()})


def _read(file: Any, role: str, size: tuple[int, int], rest: RestJoints) -> dict[str, Tensor]:
    stored = file.get_tensor(role)
    rotations = axis_angle_to_matrix(file.get_tensor(f"{role}_pose"))
    own = "target_" if role == "target" and "target_betas" in file.keys() else ""  # noqa: SIM118
    betas = file.get_tensor(f"{own}betas")
    joints = pose_joints(rotations, rest(betas))[1] + file.get_tensor(f"{role}_transl")[:, None]
    return {
        "images": shrink(rearrange(stored, "people h w rgb -> people rgb h w"), size),
        "rotations": rotations,
        "betas": betas,
        "joints": joints,
        "focal": file.get_tensor(f"{own}intrinsics")[:, 1, 1] / (stored.shape[1] / 2.0),
    }


def shrink(
    images: UInt8[Tensor, "people 3 full_height full_width"], size: tuple[int, int]
) -> UInt8[Tensor, "people 3 height width"]:
    """Average pixels until the images have the size; whole multiples are averaged in blocks."""
    down, rest_down = divmod(images.shape[-2], size[0])
    across, rest_across = divmod(images.shape[-1], size[1])
    small = []
    for part in images.split(CHUNK):
        if rest_down or rest_across:
            shrunk = F.interpolate(part.float(), size, mode="bilinear", antialias=True)
        else:
            pattern = "people rgb (h down) (w across) -> people rgb h w"
            shrunk = reduce(part.float(), pattern, "mean", down=down, across=across)
        small.append(shrunk.round().clamp(0, 255).to(torch.uint8))
    return torch.cat(small)
