"""Pose Editor: a body posed by hand, in the page or as text."""

from typing import TYPE_CHECKING

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body

if TYPE_CHECKING:
    from torch import Tensor

    from .sockets import PosedBody

EDITOR = "POSEXFER_POSE"
"""The widget that `web/pose_editor.js` shows; pages without it show a text field."""


class PoseEditor(io.ComfyNode):
    """Pose what the text says, and tell the page what it starts from."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        pose = io.String.Input("pose", default="", multiline=True)
        described = schema(
            node_id="PoseXfer_PoseEditor",
            search_aliases=["openpose editor", "3d pose", "mannequin", "pose studio", "posing"],
            is_output_node=True,
            inputs=[
                Body.Input("body", optional=True),
                io.Image.Input("image", optional=True),
                io.Int.Input("width", default=0, min=0, max=8192, step=8),
                io.Int.Input("height", default=0, min=0, max=8192, step=8),
                pose,
                Body.Input("others", optional=True),
            ],
            outputs=[
                Body.Output(display_name="body"),
                io.Image.Output(display_name="preview"),
                io.Load3DCamera.Output(display_name="camera"),
                Body.Output(display_name="people"),
            ],
        )
        pose.extra_dict = {**(pose.extra_dict or {}), "widgetType": EDITOR}
        return described

    @classmethod
    @override
    def validate_inputs(cls, pose: str | None = None) -> bool | str:
        """Refuse what is no pose before anything runs."""
        from ..posexfer_core.body.pose_document import PoseDocument
        from ..posexfer_core.errors import ParamsError

        try:
            if pose is not None and pose.strip():
                PoseDocument.parse(pose)
        except ParamsError as error:
            return str(error)
        return True

    @classmethod
    @override
    def execute(
        cls,
        width: int,
        height: int,
        pose: str,
        body: "PosedBody | None" = None,
        image: "Tensor | None" = None,
        others: "PosedBody | None" = None,
    ) -> io.NodeOutput:
        """Pose, draw, and describe the start."""
        from ..posexfer_core.body.view import BodyView
        from ..posexfer_core.export.glb import viewer_camera
        from .host.editor_bodies import body_query
        from .host.images import from_core, to_core
        from .host.posing import Scene
        from .host.preview import body_image
        from .host.several_people import together

        images = None if image is None else to_core(image).cpu()
        scene = Scene.of(body, images, width, height, others)
        posed = scene.posed(pose, keep_shape=body is not None)
        people = scene.people(posed, pose)
        views = [one.view() for one in together(people)]
        size = scene.start.params.image_size
        shown = None
        if scene.images is not None:
            shown = ui.PreviewImage(from_core(scene.images[:1]), cls=cls).as_dict()["images"][0]
        told = {
            "start": scene.start_document(),
            "body": body_query(scene.start),
            "size": [size[1], size[0]],
            "backdrop": shown,
            "others": scene.other_documents(),
        }
        preview = body_image(BodyView.together(views), scene.background(len(views[0])))
        camera = viewer_camera(views[0])
        return io.NodeOutput(posed, preview, camera, people, ui={"posexfer_editor": [told]})
