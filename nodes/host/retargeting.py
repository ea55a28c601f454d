"""Target poses on the people of photos: their build, their place, their camera."""

from ...posexfer_core.body.motion import join_frames
from ...posexfer_core.body.retarget import Framing, retarget
from ...posexfer_core.errors import ParamsError
from ...posexfer_core.transfer.retarget_in_photo import retarget_in_photo
from ..sockets import PosedBody


def retarget_body(source: PosedBody, target: PosedBody, framing: Framing = "source") -> PosedBody:
    """Give the source's build to the target's pose.

    Args:
        source: one frame for all of the target's, or as many.
        target: as many frames as the result.
        framing: whose camera, image size and place are used; see `retarget_in_photo`.

    Raises:
        ParamsError: the numbers of frames do not go together; as `retarget`.
    """
    people, poses, body = source.params, target.params, source.model
    if people.frames not in (1, poses.frames):
        raise ParamsError(
            f"The source body has {people.frames} frames and the target body {poses.frames}; "
            "expected one source, or as many as targets."
        )
    pairs = [(people, poses)]
    if people.frames > 1:
        pairs = [(people.select(n), poses.select(n)) for n in range(poses.frames)]
    if framing == "source":
        placed = [retarget_in_photo(person, pose, body) for person, pose in pairs]
    else:
        placed = [retarget(person, pose, body) for person, pose in pairs]
    return PosedBody(params=join_frames(placed), model=body)
