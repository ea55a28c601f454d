"""A body in an image of another size, or before another camera."""

from collections.abc import Mapping
from typing import Any

from ...posexfer_core.body.orbit import seen_from
from ...posexfer_core.body.view import BodyView
from ...posexfer_core.transfer.framing import Framing
from ..sockets import PosedBody


def placed_view(
    body: PosedBody, width: int, height: int, camera: Mapping[str, Any] | None
) -> BodyView:
    """See every frame of a body; width or height 0 takes that of the body's own image."""
    own = body.params.image_size
    size = (height or own[0], width or own[1])
    if camera is not None:
        return BodyView.of(seen_from(body.params, body.model, camera, size), body.model, frame=None)
    view = body.view()
    return view if size == own else Framing.whole(own, size).reframe(view)
