"""Previews of bodies on nodes."""

from comfy_api.latest import ui
from torch import Tensor

from ...posexfer_core.body.view import BodyView
from ...posexfer_core.render.overlay import overlay_body
from .images import from_core

GREY = -0.6


def body_image(view: BodyView, background: Tensor | None = None) -> Tensor:
    """Draw the bodies as their own cameras see them, as an IMAGE.

    Args:
        view: the bodies.
        background: (bodies, 3, height, width) in [-1, 1], which shows through; grey without.
    """
    if background is not None:
        return from_core(overlay_body(background, view))
    grey = view.vertices.new_full((len(view), 3, *view.size), GREY)
    return from_core(overlay_body(grey, view, opacity=1.0))


def with_name(image: Tensor, name: str) -> dict[str, object]:
    """Show an image on the node, and the name of the file that was written."""
    return {**ui.PreviewImage(image).as_dict(), **ui.PreviewText(name).as_dict()}
