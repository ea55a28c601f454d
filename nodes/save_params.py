"""Save Human Params: body parameters as a file."""

from comfy_api.latest import io
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import Body, PosedBody


class SaveHumanParams(io.ComfyNode):
    """Write a .npz that Load SMPL Mesh reads."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_SaveHumanParams",
            search_aliases=["export", "npz", "smpl"],
            is_output_node=True,
            inputs=[Body.Input("body"), io.String.Input("filename_prefix", default="pose/body")],
            outputs=[io.String.Output(display_name="path")],
        )

    @classmethod
    @override
    def execute(cls, body: PosedBody, filename_prefix: str) -> io.NodeOutput:
        """Save, and show what and where."""
        from .host.preview import body_image, with_name

        path, name = paths.output_path(filename_prefix, ".npz")
        body.params.save(path)
        return io.NodeOutput(str(path), ui=with_name(body_image(body.view()), name))
