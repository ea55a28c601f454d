"""Retarget Body: one person's shape in another's pose."""

from dataclasses import replace

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body, PosedBody


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
    def execute(cls, source_body: PosedBody, target_body: PosedBody, framing: str) -> io.NodeOutput:
        """Retarget, and show it."""
        from ..posexfer_core.body.retarget import retarget
        from ..posexfer_core.render.control_maps import paint_normal
        from .host.images import from_unit

        params = retarget(
            source_body.params, target_body.params, source_body.model, framing=framing
        )
        body = replace(source_body, params=params)
        preview = from_unit(paint_normal(body.view()))
        return io.NodeOutput(body, preview, ui=ui.PreviewImage(preview, cls=cls))
