"""Retarget Body: one person's shape in another's pose."""

from typing import TYPE_CHECKING

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body

if TYPE_CHECKING:
    from .sockets import PosedBody


class RetargetBody(io.ComfyNode):
    """Give the source's shape to the target's pose."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_RetargetBody",
            search_aliases=["retarget", "shape", "driver"],
            inputs=[
                Body.Input("source_body"),
                Body.Input("target_body"),
                io.Combo.Input("framing", options=["source", "target"], default="source"),
            ],
            outputs=[Body.Output(display_name="body"), io.Image.Output(display_name="preview")],
        )

    @classmethod
    @override
    def execute(
        cls, source_body: "PosedBody", target_body: "PosedBody", framing: str
    ) -> io.NodeOutput:
        """Retarget, and show it."""
        from ..posexfer_core.render.control_maps import paint_normal
        from .host.images import from_unit
        from .host.retargeting import retarget_body

        body = retarget_body(source_body, target_body, framing)
        preview = from_unit(paint_normal(body.view()))
        return io.NodeOutput(body, preview, ui=ui.PreviewImage(preview, cls=cls))
