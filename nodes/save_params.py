"""Save Human Params: body parameters as a file."""

from typing import TYPE_CHECKING

from comfy_api.latest import io
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import Body

if TYPE_CHECKING:
    from .sockets import PosedBody


class SaveHumanParams(io.ComfyNode):
    """Write a .npz that Load SMPL Mesh reads."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_SaveHumanParams",
            display_name="Save Human Params",
            description="Saves body parameters as a .npz. What lies in output/pose is offered by "
            "Load SMPL Mesh after a refresh of the node definitions (R).",
            search_aliases=["export", "npz", "smpl"],
            is_output_node=True,
            inputs=[
                Body.Input("body", tooltip="What to save: every frame, with its camera."),
                io.String.Input(
                    "filename_prefix",
                    default="pose/body",
                    tooltip="Folder and start of the name inside the output folder.",
                ),
            ],
            outputs=[io.String.Output(display_name="path", tooltip="Of the file written.")],
        )

    @classmethod
    @override
    def execute(cls, body: "PosedBody", filename_prefix: str) -> io.NodeOutput:
        """Save, and show what and where."""
        from .host.preview import body_image, with_name

        path, name = paths.output_path(filename_prefix, ".npz")
        body.params.save(path)
        return io.NodeOutput(str(path), ui=with_name(body_image(body.view()), name))
