"""Frame Pose: a photo cut to a model's size, around a person and the pose wanted."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body, CutOut, Others

if TYPE_CHECKING:
    from torch import Tensor

    from .sockets import PosedBody


def side(name: str, default: int) -> io.Int.Input:
    """Describe one side of the cut, pixels."""
    return io.Int.Input(name, default=default, min=64, max=8192, step=8)


class FramePose(io.ComfyNode):
    """Cut image, mask and both bodies alike, once for all frames."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_FramePose",
            search_aliases=["crop", "resize", "framing"],
            inputs=[
                io.Image.Input("image"),
                Body.Input("source_body"),
                Body.Input("target_body"),
                io.Mask.Input("mask", optional=True),
                side("width", 832),
                side("height", 1216),
                io.Boolean.Input("fit_to_source", default=True),
                io.MultiType.Input("others", types=[*Others], optional=True),
            ],
            outputs=[
                io.Image.Output(display_name="image"),
                Body.Output(display_name="source_body"),
                Body.Output(display_name="target_body"),
                io.Mask.Output(display_name="mask"),
                io.Mask.Output(display_name="padding"),
                CutOut.Output(display_name="framing"),
                io.Mask.Output(display_name="others"),
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        image: "Tensor",
        source_body: "PosedBody",
        target_body: "PosedBody",
        width: int,
        height: int,
        fit_to_source: bool,
        mask: "Tensor | None" = None,
        others: Any = None,
    ) -> io.NodeOutput:
        """Cut everything, and show the pose in the cut."""
        from ..posexfer_core.render.overlay import overlay_body
        from .host.framing import frame_pose
        from .host.images import from_core, mask_to_host, to_core
        from .host.other_people import others_masks

        images = to_core(image).cpu()
        cut = frame_pose(
            images,
            source_body,
            target_body,
            mask,
            others_masks(others, images, source_body, mask),
            (height, width),
            fit_to_source=fit_to_source,
        )
        shown = from_core(overlay_body(cut.images[:1], cut.target.view().at(0)))
        return io.NodeOutput(
            from_core(cut.images),
            cut.source,
            cut.target,
            None if cut.masks is None else mask_to_host(cut.masks),
            mask_to_host(cut.padding),
            cut.framing,
            None if cut.others is None else mask_to_host(cut.others),
            ui=ui.PreviewImage(shown, cls=cls),
        )
