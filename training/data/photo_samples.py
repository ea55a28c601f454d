"""One training sample of two photos: pictures, masks and bodies in one random crop and mirror."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.pose_editing import mirrored
from posexfer_core.body.view import BodyView
from posexfer_core.files.images import from_pil, load_image, to_bytes, to_pil
from posexfer_core.transfer.framing import Framing, body_box, frame_person

KEPT_PHOTOS = 32
"""Unpacked photos that are kept, since neighbouring pairs share them."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One photo with its person, at any size."""

    image: Float[Tensor, "1 3 height width"]
    """In [-1, 1]."""
    params: HumanParams
    """One person, in the camera of the image."""
    mask: Float[Tensor, "1 1 height width"] | None
    """Share of the person in each pixel, if it is known."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.image.shape[-2], self.image.shape[-1]


@dataclass(frozen=True, kw_only=True)
class RandomView:
    """What is random about a sample; the same for both photos and everything that goes with them.

    The sample shows `1 / zoom` of the height and width that it would show otherwise; `place` says
    where in what is left over, from 0 to 1 along x and y.
    """

    zoom: float = 1.0
    place: tuple[float, float] = (0.5, 0.5)
    mirrored: bool = False

    @classmethod
    def draw(cls, rng: np.random.Generator, *, crop: float, flip: float) -> "RandomView":
        """Draw one.

        Args:
            rng: of the sample.
            crop: share of the height and width that is cut off, at most.
            flip: share of samples that are mirrored.
        """
        zoom = 1.0 / (1.0 - crop * rng.random())
        place = (float(rng.random()), float(rng.random()))
        return cls(zoom=zoom, place=place, mirrored=bool(rng.random() < flip))


def cut_whole(shot: Shot, size: tuple[int, int], view: RandomView) -> Shot:
    """Resize the whole picture, or what the view shows of it, by Pillow's bicubic filter.

    As the field's data sets are: 750x1101 becomes 176x256, stretched by one per cent. Focal lengths
    then differ along x and y.
    """
    height, width = shot.size
    shown = (width / view.zoom, height / view.zoom)
    left, top = (
        (whole - part) * at
        for whole, part, at in zip((width, height), shown, view.place, strict=True)
    )
    box = (left, top, left + shown[0], top + shown[1])
    factors = (size[1] / shown[0], size[0] / shown[1])
    intrinsics = shot.params.intrinsics.clone()
    intrinsics[:, 0, 2] -= left
    intrinsics[:, 1, 2] -= top
    intrinsics[:, 0] *= factors[0]
    intrinsics[:, 1] *= factors[1]
    return Shot(
        image=from_pil(
            to_pil(shot.image).resize((size[1], size[0]), Image.Resampling.BICUBIC, box=box)
        ),
        params=shot.params.with_camera(intrinsics, size),
        mask=None if shot.mask is None else _resized_mask(shot.mask, size, box),
    )


def cut_person(
    shot: Shot, size: tuple[int, int], view: RandomView, body: BodyModel, *others: BodyView
) -> Shot:
    """Cut around the person without stretching, and around other bodies in the same picture."""
    shown = BodyView.of(shot.params, body)
    boxes = [body_box(one) for one in others]
    framing = _zoomed(frame_person(body_box(shown), boxes, size, shot.size), view)
    return Shot(
        image=framing.apply(shot.image).clamp(-1.0, 1.0),
        params=shot.params.with_camera(framing.reframe(shown).intrinsics, size),
        mask=None if shot.mask is None else framing.apply_to_mask(shot.mask),
    )


def _zoomed(framing: Framing, view: RandomView) -> Framing:
    """Show less of a cut."""
    scale = framing.scale * view.zoom
    offset = tuple(
        at + share * length * (1.0 / framing.scale - 1.0 / scale)
        for at, share, length in zip(framing.offset_xy, view.place, framing.size[::-1], strict=True)
    )
    return Framing(offset_xy=(offset[0], offset[1]), scale=scale, size=framing.size)


def _resized_mask(
    mask: Tensor, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Tensor:
    levels = Image.fromarray(mask[0, 0].numpy().astype(np.float32), mode="F")
    small = levels.resize((size[1], size[0]), Image.Resampling.BOX, box=box)
    return torch.from_numpy(np.array(small))[None, None].clamp(0.0, 1.0)


def flipped(shot: Shot) -> Shot:
    """Mirror picture, mask, camera and body: left limbs become right ones."""
    return Shot(
        image=shot.image.flip(-1),
        params=mirrored(shot.params),
        mask=None if shot.mask is None else shot.mask.flip(-1),
    )


def row_of(source: Shot, target: Shot, index: int) -> dict[str, np.ndarray]:
    """Give one row of a shard of photos."""
    row: dict[str, Tensor | np.ndarray] = {"index": np.asarray(index, np.int64)}
    for role, shot in (("source", source), ("target", target)):
        params = shot.params.to(dtype=torch.float32)
        own = "" if role == "source" else "target_"
        row |= {
            role: to_bytes(shot.image[0]),
            f"{role}_pose": params.pose[0, 0],
            f"{role}_transl": params.transl[0, 0],
            f"{own}betas": params.betas[0, 0],
            f"{own}intrinsics": params.intrinsics[0],
            f"{role}_coverage": torch.zeros(shot.size, dtype=torch.uint8)
            if shot.mask is None
            else (shot.mask[0, 0] * 255.0).round().to(torch.uint8),
        }
    return {name: np.asarray(value) for name, value in row.items()}


@lru_cache(KEPT_PHOTOS)
def unpacked(path: Path) -> Float[Tensor, "1 3 height width"]:
    """Read a photo, keeping the last ones."""
    return load_image(path)
