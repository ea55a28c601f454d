"""Body to GLB: a body for 3D viewers."""

from typing import TYPE_CHECKING

from comfy_api.latest import io
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import Body

if TYPE_CHECKING:
    from .sockets import PosedBody


class BodyToGLB(io.ComfyNode):
    """Write a body as a .glb file."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_BodyToGLB",
            display_name="Body to GLB",
            description="Writes a posed body to the output folder as .glb; connect the path to "
            "Preview 3D to turn it about.",
            search_aliases=["export", "3d", "gltf", "mesh"],
            is_output_node=True,
            inputs=[
                Body.Input("body", tooltip="The body to write."),
                io.Int.Input(
                    "frame", default=0, min=0, max=99999, tooltip="Which frame, counted from 0."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="3d/body",
                    tooltip="Folder and start of the name inside the output folder.",
                ),
                io.Boolean.Input(
                    "skeleton",
                    default=False,
                    tooltip="Write the body with its skeleton, and all frames as an animation, "
                    "for Blender and other 3D programs; off, the mesh of one frame alone.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="model_file",
                    tooltip="Relative to the output folder, as Preview 3D wants it.",
                )
            ],
        )

    @classmethod
    @override
    def execute(
        cls, body: "PosedBody", frame: int, filename_prefix: str, skeleton: bool = False
    ) -> io.NodeOutput:
        """Write the file."""
        from ..posexfer_core.body.view import BodyView
        from ..posexfer_core.export.glb import glb_bytes
        from ..posexfer_core.export.skinned_glb import skinned_glb_bytes
        from ..posexfer_core.files.atomic import write_whole
        from .host.preview import body_image, with_name

        view = BodyView.of(body.params, body.model, frame=frame)
        content = skinned_glb_bytes(body.params, body.model) if skeleton else glb_bytes(view)
        path, name = paths.output_path(filename_prefix, ".glb")
        write_whole(path, content)
        return io.NodeOutput(name, ui=with_name(body_image(view), name))
