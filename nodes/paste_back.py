"""Paste Back: what was made of a cut, put back into the photo at its own resolution."""

from typing import TYPE_CHECKING

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import CutOut

if TYPE_CHECKING:
    from torch import Tensor

    from ..posexfer_core.transfer.framing import Framing


class PasteBack(io.ComfyNode):
    """Undo the cut of Frame Pose."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_PasteBack",
            search_aliases=["composite", "uncrop", "stitch"],
            inputs=[
                io.Image.Input("image"),
                io.Image.Input("original"),
                CutOut.Input("framing", optional=True),
                io.Mask.Input("mask", optional=True),
                io.Int.Input("feather", default=4, min=0, max=64),
            ],
            outputs=[io.Image.Output(display_name="image")],
        )

    @classmethod
    @override
    def execute(
        cls,
        image: "Tensor",
        original: "Tensor",
        feather: int,
        framing: "Framing | None" = None,
        mask: "Tensor | None" = None,
    ) -> io.NodeOutput:
        """Paste every image."""
        from .host.images import on_white
        from .host.pasting import paste_back

        drawn, before = on_white(image, "image").cpu(), on_white(original, "original").cpu()
        pasted = paste_back(drawn, before, framing, mask, feather)
        return io.NodeOutput(pasted, ui=ui.PreviewImage(pasted, cls=cls))
