"""Everyone in an image, by a landmarker that sees one or two people at a time.

MediaPipe's detector shrinks an image to 224 pixels and finds who fills it, so overlapping windows
are tried, findings of the same person are merged, and each person is looked at once more from near.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from ..geometry.crop import Crop, ShrunkImage
from ..geometry.resample import resample
from ..geometry.search_windows import Window, search_windows
from .detector import Landmarker, Landmarks
from .layouts import MEDIAPIPE33
from .masks import Mask
from .raw_people import RawPerson

WINDOW_PX = 512
"""Longest side of a window as the landmarker gets it."""
ROOM = 0.25
"""Grey room around the largest windows, tried too, as a share of their longest side: without it the
landmarker does not find somebody whose head is cut off, or finds a small figure in the clothes."""
WORKING_PX = 1024
"""Windows of larger images are cut from one that is made smaller, to at most twice this."""
NEAR_PX = 1024
"""Longest side of the crop around one person."""
MARGINS = (0.25, 0.4, 0.1)
"""Margins of that crop on each side, as shares of the person's extent, until one shows it whole."""
COMPARED_PX = 192
"""Longest side of the grid on which masks are compared."""
SAME = 0.5
"""Share of the smaller mask that two findings have in common where they are of one person; of both
masks together, where they are alike."""
LEAST_SCORE = 0.35
"""Score below which a finding is dropped: of head and shoulders alone 13 of 33 landmarks show."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectedPerson:
    """One person of an image."""

    points: Float[ndarray, "33 3"]
    """x, y in pixels of the image, and visibility from 0 to 1."""
    world: Float[ndarray, "33 4"]
    """x, y, z in metres from between the hips, and visibility."""
    crop: Crop
    """The part of the image that `crop_mask` covers."""
    crop_mask: Float[Tensor, "crop_height crop_width"]
    """Share of the person in each pixel of the crop, 0 to 1."""
    image_size: tuple[int, int]
    """`(height, width)`, pixels."""

    @classmethod
    def of(cls, found: Landmarks, crop: Crop, image_size: tuple[int, int]) -> "DetectedPerson":
        """Place what was found in a crop in the whole image."""
        points = found.image.copy()
        points[:, :2] = points[:, :2] / crop.scale + np.array(crop.offset_xy)
        return cls(
            points=points,
            world=found.world,
            crop=crop,
            crop_mask=torch.from_numpy(found.mask).float(),
            image_size=image_size,
        )

    @property
    def score(self) -> float:
        """Return the mean visibility over the landmarks, 0 for those outside of the crop."""
        inside = (self.points[:, :2] - self.crop.offset_xy) * self.crop.scale
        shown = ((inside >= 0.0) & (inside <= self.crop.size[::-1])).all(1)
        return float((self.points[:, 2] * shown).mean())

    @property
    def cut_off(self) -> bool:
        """Tell whether the mask reaches an edge of the crop that lies inside of the image."""
        shown, (left, top) = self.crop_mask > 0.5, self.crop.offset_xy
        right, bottom = (
            left + shown.shape[1] / self.crop.scale,
            top + shown.shape[0] / self.crop.scale,
        )
        height, width = self.image_size
        edges = (
            (left > 1.0, shown[:, 0]),
            (top > 1.0, shown[0]),
            (right < width - 1.0, shown[:, -1]),
            (bottom < height - 1.0, shown[-1]),
        )
        return any(inside and bool(edge.any()) for inside, edge in edges)

    @cached_property
    def coarse_mask(self) -> Bool[Tensor, "rows columns"]:
        """The mask on the grid that all masks of an image are compared on."""
        return self._mask_in(_whole(self.image_size, COMPARED_PX)) > 0.5

    def mask(self) -> Float[Tensor, "height width"]:
        """Return the share of the person in each pixel of the image."""
        if self.crop.scale == 1.0:
            return self._mask_in(_whole(self.image_size, max(self.image_size)))
        left, top = (round(offset) for offset in self.crop.offset_xy)
        height, width = (round(side / self.crop.scale) for side in self.crop.size)
        whole = torch.zeros(self.image_size)
        part = whole[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
        mask = self.crop_mask[None, None]
        # an axis at a time: what lies beyond the image is not made large first
        mask = F.interpolate(mask, size=(mask.shape[-2], width), mode="bilinear")
        mask = mask[..., max(-left, 0) :][..., : part.shape[1]]
        mask = F.interpolate(mask, size=(height, mask.shape[-1]), mode="bilinear")
        part += mask[0, 0, max(-top, 0) :][: part.shape[0]]
        return whole

    def without(self, others: Iterable["DetectedPerson"]) -> "DetectedPerson":
        """Take from the mask what belongs to somebody else rather."""
        mask = self.crop_mask
        for other in others:
            mask = torch.where(other._mask_in(self.crop) > self.crop_mask, 0.0, mask)
        return replace(self, crop_mask=mask)

    def _mask_in(self, wanted: Crop) -> Float[Tensor, "rows columns"]:
        """Return the mask in the pixels of another crop; 0 outside of the person's own."""
        own = self.crop
        corner = (np.array(wanted.offset_xy) - own.offset_xy) * own.scale
        mask = resample(
            self.crop_mask[None, None],
            (float(corner[0]), float(corner[1])),
            wanted.scale / own.scale,
            wanted.size,
        )[0, 0]
        left, top = own.offset_xy
        end = (left + own.size[1] / own.scale, top + own.size[0] / own.scale)
        return mask * wanted.inside(own.offset_xy, end)

    def raw(self) -> RawPerson:
        """Return the person as the readers of keypoint files do, with its mask."""
        mask: Mask = (self.mask() > 0.5).numpy()
        return RawPerson(
            self.points,
            MEDIAPIPE33,
            self.image_size,
            world=self.world,
            mask=mask if mask.any() and not mask.all() else None,
        )


def detect_people(
    image: Float[Tensor, "3 height width"], landmarker: Landmarker
) -> list[DetectedPerson]:
    """Find everyone in an image, the largest first; nobody may be found.

    Args:
        image: RGB in [-1, 1], of any size.
        landmarker: finds people in a crop.
    """
    size = (image.shape[-2], image.shape[-1])
    shrunk, windows = ShrunkImage.of(image, WORKING_PX), search_windows(size)
    windows += _with_room(windows, size)
    crops = [Crop.of_box(low, high, WINDOW_PX) for low, high in windows]
    far = [one for crop in crops for one in _seen_in(shrunk.cut(crop), crop, size, landmarker)]
    near = [
        _look_closer(image, person, landmarker) or (person if findings > 1 else None)
        for person, findings in _distinct(far)
    ]
    people = [person for person, _ in _distinct([one for one in near if one is not None])]
    people = [one.without(other for other in people if other is not one) for one in people]
    return sorted(people, key=lambda person: -int(person.coarse_mask.sum()))


def _with_room(windows: list[Window], image_size: tuple[int, int]) -> list[Window]:
    """Return the windows that span the image's shorter side, grown beyond its edges."""
    roomy = []
    for (left, top), (right, bottom) in windows:
        if min(right - left, bottom - top) > min(image_size) - 0.5:
            room = ROOM * max(right - left, bottom - top)
            roomy.append(((left - room, top - room), (right + room, bottom + room)))
    return roomy


def _whole(image_size: tuple[int, int], longest_px: int) -> Crop:
    height, width = image_size
    return Crop.of_box((0.0, 0.0), (float(width), float(height)), longest_px)


def _look_closer(
    image: Float[Tensor, "3 height width"], person: DetectedPerson, landmarker: Landmarker
) -> DetectedPerson | None:
    """Find a person again in a crop around it; None where it is found in none that is tried.

    Whom a crop cuts off is looked for once more, around what it shows.
    """
    nearest = None
    for margin in MARGINS:
        rows, columns = np.nonzero(person.coarse_mask.numpy())
        places = np.stack([columns, rows], -1) * (max(person.image_size) / COMPARED_PX)
        places = np.concatenate([places, person.points[person.points[:, 2] > 0.5, :2]])
        least, most = places.min(0), places.max(0)
        room = margin * float((most - least).max())
        low, high = least - room, most + room
        crop = Crop.of_box(
            (float(low[0]), float(low[1])), (float(high[0]), float(high[1])), NEAR_PX
        )
        near = _seen_in(crop.cut(image[None]), crop, person.image_size, landmarker)
        found = [one for one in near if one.score >= LEAST_SCORE and _common(one, person) > SAME]
        if found:
            nearest = person = max(found, key=partial(_alike, person))
            if not person.cut_off:
                break
    return nearest


def _distinct(found: list[DetectedPerson]) -> list[tuple[DetectedPerson, int]]:
    """Keep the best finding of each person, with how many findings are alike.

    Whom most findings agree on comes first: the small figure that is seen in an arm, in one window
    alone, is nobody, however sure the landmarker is of it.
    """
    found = [one for one in found if one.score >= LEAST_SCORE and one.coarse_mask.any()]
    alike = [[_alike(one, other) for other in found] for one in found]
    agreed = [
        sum(share * other.score for share, other in zip(shares, found, strict=True))
        for shares in alike
    ]
    kept: list[tuple[DetectedPerson, int]] = []
    for index in sorted(range(len(found)), key=lambda index: -agreed[index]):
        like = [one for one, share in zip(found, alike[index], strict=True) if share > SAME]
        free = [one for one in like if all(_common(one, other) <= SAME for other, _ in kept)]
        if found[index] in free:
            kept.append((max(free, key=lambda one: one.score), len(like)))
    return kept


def _alike(one: DetectedPerson, other: DetectedPerson) -> float:
    """Return the intersection of two masks over their union."""
    both = int((one.coarse_mask & other.coarse_mask).sum())
    return both / int((one.coarse_mask | other.coarse_mask).sum())


def _common(one: DetectedPerson, other: DetectedPerson) -> float:
    """Return the share of the smaller of two masks that lies in the other."""
    least = min(int(one.coarse_mask.sum()), int(other.coarse_mask.sum()))
    return int((one.coarse_mask & other.coarse_mask).sum()) / max(least, 1)


def _seen_in(
    cut: Float[Tensor, "1 3 crop_height crop_width"],
    crop: Crop,
    image_size: tuple[int, int],
    landmarker: Landmarker,
) -> list[DetectedPerson]:
    """Show a crop to the landmarker, grey where it goes beyond the image."""
    height, width = image_size
    shown = cut.clamp(-1.0, 1.0) * crop.inside((0.0, 0.0), (float(width), float(height)))
    levels = ((shown + 1.0) * 127.5).round().to(torch.uint8)
    found = landmarker(rearrange(levels, "1 rgb height width -> height width rgb").numpy())
    return [DetectedPerson.of(one, crop, image_size) for one in found]
