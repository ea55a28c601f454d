"""Masks of people, as other nodes give them."""

from torch import Tensor

from ...posexfer_core.body.view import BodyView
from ...posexfer_core.errors import ImageError
from ...posexfer_core.keypoints.masks import Mask, check_mask

OPAQUE = (64, 64)
"""Size of the black mask that Load Image gives of an image without transparency."""


def check_person_mask(mask: Tensor, size: tuple[int, int]) -> Mask:
    """Return one MASK as booleans.

    Args:
        mask: (height, width).
        size: height and width of its image.

    Raises:
        ImageError: it is of another image, or shows nothing or everything.
    """
    found = tuple(mask.shape)
    if found == OPAQUE != size and not bool(mask.any()):
        raise ImageError(
            f"The mask is {OPAQUE[0]}x{OPAQUE[1]} and black: that is what Load Image gives for an "
            "image without transparency, which has no mask. Leave 'mask' unconnected, or connect "
            "that of a segmentation node, such as Remove Background or SAM 3."
        )
    return check_mask(mask.cpu().numpy(), size)


def person_masks(mask: Tensor | None, images: Tensor) -> Tensor | None:
    """Turn a MASK into (frames, 1, height, width), one for all images or one each.

    Raises:
        ImageError: it is of other images, or shows nothing or everything.
    """
    if mask is None:
        return None
    masks = mask[None] if mask.ndim == 2 else mask
    if len(masks) not in (1, len(images)):
        raise ImageError(
            f"There are {len(masks)} masks for {len(images)} images, expected one or as many."
        )
    for one in masks:
        check_person_mask(one, (images.shape[-2], images.shape[-1]))
    return masks[:, None].float().clamp(0.0, 1.0).cpu()


def mask_of(masks: Tensor | None, number: int) -> Tensor | None:
    """Give the mask of one image, (1, 1, height, width), of one for all or one each."""
    return None if masks is None else masks[[number % len(masks)]]


def check_upright(mask: Tensor, view: BodyView) -> None:
    """Refuse a mask that is white around the body instead of on it.

    Args:
        mask: (1, 1, height, width).
        view: the person's body in the same image.

    Raises:
        ImageError: black and white are exchanged.
    """
    body = view.visibility.mask[0]
    shares = [float(mask[0, 0][where].mean()) if where.any() else 0.5 for where in (body, ~body)]
    if shares[0] < 0.5 < shares[1]:
        raise ImageError(
            "The mask is white around the person and black on them, as the mask of Load Image is. "
            "Put 'Invert Mask' before it."
        )
