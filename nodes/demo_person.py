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
            display_name="Demo Person",
            description="A person that comes with the pack, so that every workflow runs at once. "
            "For your own, replace it by Load Image, and by Estimate Human Params for the body.",
            search_aliases=["example", "sample", "test image"],
            inputs=[
                io.Combo.Input(
                    "person",
                    options=[PAINTED, PHOTO],
                    default=PAINTED,
                    tooltip="A painted person of whom everything is known, 176x256 pixels; or a "
                    "photo of NASA's Eileen Collins (public domain), cut off above the knees, "
                    "512x512 pixels, whose body is estimated from keypoints set by hand.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="image", tooltip="Source image for 3D Feature Lift."),
                Body.Output(display_name="body", tooltip="The person's body in this image."),
                PoseKeypoint.Output(
                    display_name="keypoints", tooltip="What a pose detector would find."
                ),
            ],
        )

    @classmethod
    @override
    def execute(cls, person: str) -> io.NodeOutput:
        """Open the files."""
        from .host.demo import load_painted, load_photo

        image, body, keypoints = load_painted() if person == PAINTED else load_photo()
        return io.NodeOutput(image, body, keypoints, ui=ui.PreviewImage(image, cls=cls))
