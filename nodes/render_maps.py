"""Render Body Maps: images of a body for control models of any family."""

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body, PosedBody

HIDING = ["face", "everything", "nothing"]
AXES = ["red left", "red right"]
LIMBS = ["standard", "wide"]
GREYS = ["body", "scene"]
POINTS = ["body", "hands", "hands and face"]


class RenderBodyMaps(io.ComfyNode):
    """Draw depth, normals, OpenPose and more from one visibility pass."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_RenderBodyMaps",
            search_aliases=["depth", "normal", "openpose", "controlnet", "dwpose"],
            inputs=[
                Body.Input("body"),
                io.Int.Input("width", default=0, min=0, max=8192),
                io.Int.Input("height", default=0, min=0, max=8192),
                io.Combo.Input("openpose_hides", options=HIDING, default="face"),
                io.Combo.Input("normal_axes", options=AXES, default="red left"),
                io.Load3DCamera.Input("camera", optional=True),
                io.Combo.Input("openpose_limbs", options=LIMBS, default="standard", optional=True),
                io.Combo.Input("depth_greys", options=GREYS, default="body", optional=True),
                io.Combo.Input("openpose_points", options=POINTS, default="body", optional=True),
                Body.Input("others", optional=True),
            ],
            outputs=[
                io.Image.Output(display_name="depth"),
                io.Image.Output(display_name="normal"),
                io.Image.Output(display_name="openpose"),
                io.Mask.Output(display_name="mask"),
                io.Image.Output(display_name="parts"),
                io.Image.Output(display_name="canonical"),
                io.Image.Output(display_name="limbs"),
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        body: PosedBody,
        width: int,
        height: int,
        openpose_hides: str,
        normal_axes: str,
        camera: Mapping[str, Any] | None = None,
        openpose_limbs: str = "standard",
        depth_greys: str = "body",
        openpose_points: str = "body",
        others: PosedBody | None = None,
    ) -> io.NodeOutput:
        """Frame the body, and paint every map."""
        from ..posexfer_core.render.control_maps import MAPS, MapStyle, paint_maps
        from .host.framing import placed_views
        from .host.images import from_unit, mask_to_host
        from .host.progress import start_progress
        from .host.several_people import together

        style = MapStyle(
            openpose_hides=openpose_hides,
            openpose_limbs=openpose_limbs,
            openpose_points=openpose_points,
            normal_axes=normal_axes,
            depth_greys=depth_greys,
        )
        view, *beside = placed_views(together(body, others), width, height, camera)
        maps = paint_maps(view, MAPS, style, beside=beside, progress=start_progress(len(view)))
        outputs = [
            mask_to_host(maps.pop(name)) if name == "mask" else from_unit(maps.pop(name))
            for name in MAPS
        ]
        return io.NodeOutput(*outputs, ui=ui.PreviewImage(outputs[0], cls=cls))
