"""Render Body Maps: images of a body for control models of any family."""

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
LIMBS = ["standard", "wide"]
GREYS = ["body", "scene"]


class RenderBodyMaps(io.ComfyNode):
    """Draw depth, normals, OpenPose and more from one visibility pass."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_RenderBodyMaps",
            display_name="Render Body Maps",
            description="Draws control images of a 3D body, with limbs in front of and behind "
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
                    tooltip="Of the maps, pixels; 0 takes the size of the body's own image.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=8192,
                    tooltip="Of the maps, pixels; the body's image is fitted inside by padding.",
                ),
                io.Combo.Input(
                    "openpose_hides",
                    options=HIDING,
                    default="face",
                    tooltip="Which hidden keypoints OpenPose leaves out: 'face' those of the face "
                    "in views from the side and from behind, as detectors do; 'everything' all "
                    "that the body hides; 'nothing' draws all 18.",
                ),
                io.Combo.Input(
                    "normal_axes",
                    options=AXES,
                    default="red left",
                    tooltip="'red left' is that of ControlNet 1.1's normalbae and of the unions "
                    "trained on its images: blue front, red left, green up. 'red right' is that "
                    "of OpenGL, Blender and most normal estimators since.",
                ),
                io.Load3DCamera.Input(
                    "camera",
                    optional=True,
                    tooltip="Camera of Load 3D or Preview 3D: look at the body from there. Its "
                    "direction, zoom and field of view count; the body fills the image.",
                ),
                io.Combo.Input(
                    "openpose_limbs",
                    options=LIMBS,
                    default="standard",
                    optional=True,
                    tooltip="Half the width of a limb. 'standard' is 4 pixels at a shorter side of "
                    "512 (8 at 1024), as DWPose and OpenPose nodes draw; 'wide' is what xinsir's "
                    "OpenPose and union models for SDXL were trained on (12 at 1024).",
                ),
                io.Combo.Input(
                    "depth_greys",
                    options=GREYS,
                    default="body",
                    optional=True,
                    tooltip="'body' spreads the greys over the body alone, for the most relief; "
                    "'scene' goes to black at infinity, as Depth Anything and MiDaS see a person "
                    "before a far background: flatter, for pasting into an estimated depth.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="depth",
                    tooltip="Near is white, even in 1/distance as MiDaS and Depth Anything; the "
                    "background is black.",
                ),
                io.Image.Output(
                    display_name="normal",
                    tooltip="Of the skin, in the camera's frame; the background faces the camera. "
                    "See 'normal_axes'.",
                ),
                io.Image.Output(
                    display_name="openpose",
                    tooltip="OpenPose's 18 keypoints (COCO) in its colours, limbs at 60 % of them, "
                    "on black; no hands.",
                ),
                io.Mask.Output(
                    display_name="mask", tooltip="White where the body is; hard edges, no clothes."
                ),
                io.Image.Output(
                    display_name="parts",
                    tooltip="SMPL's 24 parts, a colour each, the same in every image.",
                ),
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
        openpose_limbs: str = "standard",
        depth_greys: str = "body",
    ) -> io.NodeOutput:
        """Frame the body, and paint every map."""
        from ..posexfer_core.render.control_maps import MAPS, MapStyle, paint_maps
        from .host.framing import placed_view
        from .host.images import from_unit, mask_to_host
        from .host.progress import start_progress

        style = MapStyle(
            openpose_hides=openpose_hides,
            openpose_limbs=openpose_limbs,
            normal_axes=normal_axes,
            depth_greys=depth_greys,
        )
        view = placed_view(body, width, height, camera)
        maps = paint_maps(view, MAPS, style, progress=start_progress(len(view)))
        outputs = [
            mask_to_host(maps.pop(name)) if name == "mask" else from_unit(maps.pop(name))
            for name in MAPS
        ]
        return io.NodeOutput(*outputs, ui=ui.PreviewImage(outputs[0], cls=cls))
