"""Render Body Maps: pictures of a body for control models of any family."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body

if TYPE_CHECKING:
    from .sockets import PosedBody

HIDING = ["face", "everything", "nothing"]
AXES = ["red left", "red right"]


class RenderBodyMaps(io.ComfyNode):
    """Draw depth, normals, OpenPose and more from one visibility pass."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_RenderBodyMaps",
            display_name="Render Body Maps",
            description="Draws control pictures of a 3D body, with limbs in front of and behind "
            "each other where they are: for ControlNets of any family, Qwen-Image-Edit, FLUX and "
            "Wan. With Retarget Body before it, they have your person's shape, not the driver's.",
            search_aliases=["depth", "normal", "openpose", "controlnet", "dwpose"],
            inputs=[
                Body.Input("body", tooltip="One person; several frames become a batch."),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=8192,
                    tooltip="Of the maps, pixels; 0 takes the size of the body's own picture.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=8192,
                    tooltip="Of the maps, pixels; the body's picture is fitted inside by padding.",
                ),
                io.Combo.Input(
                    "openpose_hides",
                    options=HIDING,
                    default="face",
                    tooltip="Which hidden keypoints OpenPose leaves out: those of the face in "
                    "views from behind, as detectors do; all that the body hides; or nothing.",
                ),
                io.Combo.Input(
                    "normal_axes",
                    options=AXES,
                    default="red left",
                    tooltip="'red left' is ScanNet's, as in ControlNet 1.1 normal (blue front, red "
                    "left, green up); 'red right' is that of OpenGL and most renderers.",
                ),
                io.Load3DCamera.Input(
                    "camera",
                    optional=True,
                    tooltip="Camera of Load 3D or Preview 3D: look at the body from there. Its "
                    "direction, zoom and field of view count; the body fills the picture.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="depth",
                    tooltip="Near is white, even in 1/distance as MiDaS and Depth Anything; the "
                    "background is black.",
                ),
                io.Image.Output(display_name="normal", tooltip="See 'normal_axes'."),
                io.Image.Output(
                    display_name="openpose",
                    tooltip="18 keypoints in OpenPose's colours and widths.",
                ),
                io.Mask.Output(display_name="mask", tooltip="White where the body is."),
                io.Image.Output(display_name="parts", tooltip="24 parts, a colour each."),
                io.Image.Output(
                    display_name="canonical",
                    tooltip="Place on the rest body as RGB: one colour per place of the skin.",
                ),
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        body: "PosedBody",
        width: int,
        height: int,
        openpose_hides: str,
        normal_axes: str,
        camera: Mapping[str, Any] | None = None,
    ) -> io.NodeOutput:
        """See the body in the wanted picture, and paint."""
        from ..posexfer_core.body import control_maps as paint
        from ..posexfer_core.body.maps import mask_map
        from .host.framing import placed_view
        from .host.images import from_unit, mask_to_host

        view = placed_view(body, width, height, camera)
        depth = from_unit(paint.paint_depth(view))
        return io.NodeOutput(
            depth,
            from_unit(paint.paint_normal(view, axes=normal_axes)),
            from_unit(paint.paint_openpose(view, hiding=openpose_hides)),
            mask_to_host(mask_map(view)),
            from_unit(paint.paint_parts(view)),
            from_unit(paint.paint_canonical(view)),
            ui=ui.PreviewImage(depth, cls=cls),
        )
