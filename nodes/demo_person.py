"""Demo Person: a person that ships, to try the nodes with."""

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body, PoseKeypoint

PAINTED, PHOTO = "painted person", "astronaut (photo)"


class DemoPerson(io.ComfyNode):
    """Give an image, its keypoints and its body."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_DemoPerson",
            search_aliases=["example", "sample", "test image"],
            inputs=[io.Combo.Input("person", options=[PAINTED, PHOTO], default=PAINTED)],
            outputs=[
                io.Image.Output(display_name="image"),
                Body.Output(display_name="body"),
                PoseKeypoint.Output(display_name="keypoints"),
                io.Mask.Output(display_name="mask"),
            ],
        )

    @classmethod
    @override
    def execute(cls, person: str) -> io.NodeOutput:
        """Open the files."""
        from .host.demo import load_painted, load_photo

        image, body, keypoints, mask = load_painted() if person == PAINTED else load_photo()
        return io.NodeOutput(image, body, keypoints, mask, ui=ui.PreviewImage(image, cls=cls))
