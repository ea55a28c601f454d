"""Other views of the same images: turned, zoomed, shifted, mirrored; the bodies with them.

A position `p`, in halves of the image's height from its middle, lands at
`zoom * turn @ mirror @ p + shift`; the camera sees the body turned and mirrored alike.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from posexfer_core.body.joints import MIRRORED_JOINTS

from ..config import RegressorTraining
from ..sample_random import SampleRandom
from .people import People


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """How each image of a batch is changed."""

    turn: Float[Tensor, "batch 2 2"]
    zoom: Float[Tensor, " batch"]
    shift: Float[Tensor, "batch 2"]
    mirror: Bool[Tensor, " batch"]

    @classmethod
    def draw(cls, settings: RegressorTraining, rng: SampleRandom) -> "View":
        """Draw one view for each image."""
        angle = rng.normal() * torch.pi / 180.0 * settings.turn_deg
        low, high = (torch.tensor(edge).log() for edge in (settings.zoom_low, settings.zoom_high))
        cos, sin = angle.cos(), angle.sin()
        return cls(
            turn=torch.stack([cos, -sin, sin, cos], -1).unflatten(-1, (2, 2)),
            zoom=(low + (high - low) * rng.uniform()).exp(),
            shift=settings.shift * rng.normal(2),
            mirror=rng.uniform() < 0.5,
        )

    def images(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Sample the images anew; beyond the edge its pixels repeat."""
        aspect = images.shape[-1] / images.shape[-2]
        stretch = images.new_tensor([aspect, 1.0])
        sign = torch.where(self.mirror, -1.0, 1.0)
        flip = torch.stack([sign, torch.ones_like(sign)], dim=-1)
        back = flip[..., None] * self.turn.mT / self.zoom[:, None, None]
        offset = -(back @ self.shift[..., None])
        matrix = torch.cat([back * stretch, offset], dim=-1) / stretch[:, None]
        grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def people(self, people: People) -> People:
        """Turn and mirror the bodies as the images are; the images stay."""
        mirrored = mirror_people(people)
        chosen = {
            name: torch.where(
                rearrange(self.mirror, "b -> b" + " 1" * (tensor.ndim - 1)),
                getattr(mirrored, name),
                tensor,
            )
            for name, tensor in vars(people).items()
            if name in ("rotations", "joints")
        }
        turn = torch.eye(3).repeat(len(self.zoom), 1, 1)
        turn[:, :2, :2] = self.turn
        rotations = chosen["rotations"].clone()
        rotations[:, 0] = turn @ rotations[:, 0]
        return replace(
            people,
            rotations=rotations,
            joints=chosen["joints"] @ turn.mT,
            focal=people.focal * self.zoom,
        )


def mirror_people(people: People) -> People:
    """Swap left and right: `R' = M R M` with `M = diag(-1, 1, 1)`, sides exchanged."""
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    return replace(
        people,
        rotations=(mirror[:, None] * people.rotations * mirror)[:, MIRRORED_JOINTS.tolist()],
        joints=(people.joints * mirror)[:, MIRRORED_JOINTS.tolist()],
    )
