"""Flip Limb Depth: the same 2D pose with another limb in front."""

from dataclasses import replace

from comfy_api.latest import io, ui
from typing_extensions import override

from ..posexfer_core.body.joints import LIMB_CHAINS
from .schema import schema
from .sockets import Body, PosedBody


class FlipLimbDepth(io.ComfyNode):
    """Move a limb to the other place on its pixel rays."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_FlipLimbDepth",
            search_aliases=["occlusion", "behind", "front", "depth flip"],
            inputs=[
                Body.Input("body"),
                io.Combo.Input("limb", options=list(LIMB_CHAINS), default="right_arm"),
            ],
            outputs=[Body.Output(display_name="body"), io.Mask.Output(display_name="changed")],
        )

    @classmethod
    @override
    def execute(cls, body: PosedBody, limb: str) -> io.NodeOutput:
        """Flip, and show what changed."""
        from ..posexfer_core.body.depth_flip import flip_limb_depth, order_change_mask
        from ..posexfer_core.errors import ParamsError
        from .host.images import mask_to_host

        params = flip_limb_depth(body.params, body.model, limb)
        if params is None:
            raise ParamsError(
                f"The {limb.replace('_', ' ')} has no other place with the same 2D joints: it lies "
                "across the line of sight. Choose another limb, or turn the body."
            )
        twin = replace(body, params=params)
        changed = mask_to_host(order_change_mask(body.view(), twin.view()))
        return io.NodeOutput(twin, changed, ui=ui.PreviewMask(changed, cls=cls))
