"""What is known of one person in each frame of a video."""

from collections.abc import Callable

from ...errors import KeypointsError, ParamsError
from ..model import BodyModel
from .fit import Sight, usable_keypoints


def every_sight(look: Callable[[int], Sight], frames: int, body: BodyModel) -> list[Sight]:
    """Look at every frame; each must show the person.

    Args:
        look: tells what is known of the person in a frame, or raises.
        frames: how many there are.
        body: that will be fitted.

    Raises:
        KeypointsError, ParamsError: as `look`; says which frame.
    """
    return [_checked(look, frame, body) for frame in range(frames)]


def sights_with_gaps(
    look: Callable[[int], Sight], frames: int, body: BodyModel
) -> list[Sight | None]:
    """Look at every frame; those that do not show the person are None.

    Args:
        look: as in `every_sight`.
        frames: how many there are.
        body: that will be fitted.

    Raises:
        KeypointsError, ParamsError: as `look` at the first frame, when no frame shows the person.
    """
    sights: list[Sight | None] = []
    first: KeypointsError | ParamsError | None = None
    for frame in range(frames):
        try:
            sights.append(_checked(look, frame, body))
        except (KeypointsError, ParamsError) as error:
            sights.append(None)
            first = first or error
    if first is not None and not any(sights):
        raise first
    return sights


def _checked(look: Callable[[int], Sight], frame: int, body: BodyModel) -> Sight:
    try:
        sight = look(frame)
        usable_keypoints(sight.keypoints, body)
    except (KeypointsError, ParamsError) as error:
        raise type(error)(f"Frame {frame}: {error}") from error
    return sight
