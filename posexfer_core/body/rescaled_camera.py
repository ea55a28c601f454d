"""The camera of the same image at another resolution."""

from ..errors import ParamsError
from ..geometry.camera import crop_intrinsics
from .params import HumanParams


def for_image_size(
    params: HumanParams, size: tuple[int, int], *, whose: str = "body"
) -> HumanParams:
    """Give parameters the camera of the same image at another resolution.

    Args:
        params: with the camera of an image of the same aspect, within 2 %.
        size: height and width of the image at hand, pixels.
        whose: what errors call them.

    Raises:
        ParamsError: the aspects differ, so they cannot be of the same image.
    """
    height, width = params.image_size
    vertical, horizontal = size[0] / height, size[1] / width
    if abs(vertical / horizontal - 1.0) > 0.02:
        raise ParamsError(
            f"The {whose} stands in an image of {width}x{height} pixels (width x height), but this "
            f"one is {size[1]}x{size[0]}; give the one that was estimated from this image."
        )
    if params.image_size == size:
        return params
    return params.with_camera(crop_intrinsics(params.intrinsics, (0.0, 0.0), horizontal), size)
