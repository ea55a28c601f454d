"""Body to GLB: a body for 3D viewers."""

from comfy_api.latest import io
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import Body, PosedBody


class BodyToGLB(io.ComfyNode):
    """Write a body as a .glb file."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_BodyToGLB",
            search_aliases=["export", "3d", "gltf", "mesh"],
            is_output_node=True,
            inputs=[
                Body.Input("body"),
                io.Int.Input("frame", default=0, min=0, max=99999),
                io.String.Input("filename_prefix", default="3d/body"),
                io.Boolean.Input("skeleton", default=False),
            ],
            outputs=[io.String.Output(display_name="model_file")],
        )

    @classmethod
    @override
    def execute(
        cls, body: PosedBody, frame: int, filename_prefix: str, skeleton: bool = False
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
