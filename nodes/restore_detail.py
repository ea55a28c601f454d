"""Restore Detail: real pixels' fine detail, which latents lose."""

from typing import TYPE_CHECKING

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema

if TYPE_CHECKING:
    from torch import Tensor


class RestoreDetail(io.ComfyNode):
    """Add the warped photo's detail to what a model drew over it."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_RestoreDetail",
            search_aliases=["sharpen", "vae", "texture"],
            inputs=[
                io.Image.Input("image"),
                io.Image.Input("warped"),
                io.Mask.Input("visible"),
                io.Mask.Input("background"),
                io.Mask.Input("body_mask"),
            ],
            outputs=[io.Image.Output(display_name="image")],
        )

    @classmethod
    @override
    def execute(
        cls,
        image: "Tensor",
        warped: "Tensor",
        visible: "Tensor",
        background: "Tensor",
        body_mask: "Tensor",
    ) -> io.NodeOutput:
        """Restore every image."""
        from .host.images import from_core, to_core
        from .host.restoring import restore_painted

        masks = {"visible": visible, "background": background, "body_mask": body_mask}
        drawn, colours = to_core(image).cpu(), to_core(warped, name="warped").cpu()
        restored = from_core(restore_painted(drawn, colours, masks))
        return io.NodeOutput(restored, ui=ui.PreviewImage(restored, cls=cls))
