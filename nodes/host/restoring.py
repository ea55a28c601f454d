"""Fine detail of real pixels for images that came out of latents."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...posexfer_core.errors import ImageError
from ...posexfer_core.warp.filters import gaussian_blur
from ...posexfer_core.warp.restore_detail import restore_detail


@dataclass(kw_only=True, eq=False)
class KeptWarp:
    """The warped sources of a run, for the one who decodes its latents."""

    wanted: bool = False
    warped: Tensor | None = None
    """(frames, 6, height, width): `WarpedPhoto.planes`."""

    def take(self) -> Tensor | None:
        """Hand it over, and keep nothing."""
        warped, self.warped, self.wanted = self.warped, None, False
        return warped


def restore(images: Tensor, warped: Tensor, *, where_soft: bool = False) -> Tensor:
    """Restore images by as many warped ones, or by fewer in turn.

    Args:
        images: (images, 3, height, width) in [-1, 1].
        warped: (frames, 6, height, width): `WarpedPhoto.planes`.
        where_soft: as `restore_detail` has it.

    Raises:
        ImageError: they are of different sizes or numbers.
    """
    if images.shape[-2:] != warped.shape[-2:] or len(images) % len(warped):
        raise ImageError(
            f"There are {len(images)} images of {tuple(images.shape[-2:])} pixels (height, width) "
            f"for {len(warped)} warped ones of {tuple(warped.shape[-2:])}. Restore before "
            "anything is resized, and give Warp to Pose sides that are multiples of 8."
        )
    rows = [
        restore_detail(images[[n]], warped[[n % len(warped)]].to(images), where_soft=where_soft)
        for n in range(len(images))
    ]
    return torch.cat(rows)


def restore_painted(images: Tensor, colours: Tensor, masks: dict[str, Tensor]) -> Tensor:
    """Restore what is real; what a model has painted beside the person stays as it painted it.

    Args:
        images: (images, 3, height, width) in [-1, 1].
        colours: (frames, 3, height, width): the warp.
        masks: MASKs of the same Warp to Pose: "visible", "background" and "body_mask".

    Raises:
        ImageError: they are of different sizes or numbers.
    """
    for name, mask in masks.items():
        if mask.shape != (len(colours), *colours.shape[-2:]):
            raise ImageError(
                f"'{name}' has shape {tuple(mask.shape)} for images of "
                f"{(len(colours), *colours.shape[-2:])}; connect the masks and the image of one "
                "Warp to Pose."
            )
    visible, background, body = (masks[name][:, None].to(images) for name in masks)
    planes = torch.cat([colours, visible, background, body], 1)
    planes = torch.cat([planes[[n % len(planes)]] for n in range(len(images))])
    restored = restore(images, planes)
    pixel = planes.shape[-2] / 256.0
    real = planes[:, 4:5]
    beside = real * (2.0 * gaussian_blur(real, pixel) - 1.0).clamp(0.0, 1.0)
    share = torch.maximum(beside, gaussian_blur(planes[:, 5:], pixel))
    return images + share * (restored - images)
