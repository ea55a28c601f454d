"""Estimate Human Params: a 3D body from detected keypoints, or roughly from the image alone."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import advanced, schema
from .sockets import Body, PoseData, PosedBody, PoseKeypoint

if TYPE_CHECKING:
    from torch import Tensor


class EstimateHumanParams(io.ComfyNode):
    """Fit the 3D body to 2D keypoints, or read it off the image alone, frame by frame."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_EstimateHumanParams",
            display_name="Estimate Human Params",
            description="Fits the bundled 3D body to the keypoints of a DWPose, OpenPose or SDPose "
            "node: well under a second per frame on a CPU, no weights needed. Without keypoints a "
            "small bundled network reads the body roughly off the image alone.",
            search_aliases=["smplify", "pose to smpl", "3d pose"],
            inputs=[
                io.Image.Input(
                    "image", tooltip="The images that the keypoints are of; a batch is frames."
                ),
                PoseKeypoint.Input(
                    "keypoints",
                    optional=True,
                    tooltip="POSE_KEYPOINT of a pose detector, in pixels or from 0 to 1. Without "
                    "it a small network reads the one person of each image: a rough estimate, "
                    "look at the overlay.",
                ),
                io.Int.Input(
                    "person",
                    default=0,
                    min=0,
                    max=99,
                    tooltip="Which person, counted from 0. With smoothing, its number in the first "
                    "frame: from there it is followed, whatever number it has later.",
                ),
                advanced(
                    io.Float.Input(
                        "focal_px",
                        default=0.0,
                        min=0.0,
                        max=100000.0,
                        step=1.0,
                        tooltip="Focal length in pixels of the image; 0 guesses it.",
                    )
                ),
                PoseData.Input(
                    "pose_data",
                    optional=True,
                    tooltip="MHR_POSE_DATA of SAM 3D Body, instead of keypoints: its joints in "
                    "space leave no doubt about depth. Brings its own focal length.",
                ),
                io.Float.Input(
                    "smoothing",
                    optional=True,
                    default=1.0,
                    min=0.0,
                    max=10.0,
                    step=0.1,
                    tooltip="How much a batch of frames is smoothed over time: limbs keep their "
                    "side in depth, nothing jitters, one shape holds for all, and frames in "
                    "which the person is not found are filled. 0 fits each frame alone: "
                    "choose it for images that are no video. 1 suits 25 to 30 frames per "
                    "second; more is smoother.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where the person is (1 inside, 0 around), one for each image, as a "
                    "segmentation node gives it: tells how wide the body is. With keypoints or "
                    "pose_data only. Load Image's mask is the other way round: invert it.",
                ),
            ],
            outputs=[
                Body.Output(display_name="body", tooltip="The body, with the image's camera."),
                io.Image.Output(
                    display_name="overlay",
                    tooltip="The body over the image: look here whether the fit is right.",
                ),
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        image: "Tensor",
        person: int,
        focal_px: float,
        keypoints: Any = None,
        pose_data: Any = None,
        smoothing: float = 1.0,
        mask: "Tensor | None" = None,
    ) -> io.NodeOutput:
        """Fit or read every frame, then draw the overlay."""
        from ..posexfer_core.body.model import BodyModel
        from ..posexfer_core.errors import KeypointsError
        from ..posexfer_core.render.overlay import overlay_body
        from .host.estimating import fit_batch, regress_batch
        from .host.images import from_core, to_core

        image = to_core(image)
        model = BodyModel.bundled()
        focal = focal_px or None
        if keypoints is not None or pose_data is not None:
            params = fit_batch(
                image,
                keypoints=keypoints,
                pose_data=pose_data,
                mask=mask,
                focal_px=focal,
                person=person,
                smoothing=smoothing,
            )
        elif mask is not None:
            raise KeypointsError(
                "A mask is connected, but no keypoints: it shapes a body that they have posed. "
                "Connect the POSE_KEYPOINT of a pose detector too."
            )
        elif person:
            raise KeypointsError(
                f"Person {person} is asked for, but without keypoints the image must show one "
                "person. Connect the POSE_KEYPOINT of a pose detector, or crop the image."
            )
        else:
            params = regress_batch(image, focal_px=focal, smoothing=smoothing)
        body = PosedBody(params=params, model=model)
        overlay = from_core(overlay_body(image.cpu(), body.view(), keypoints=True))
        return io.NodeOutput(body, overlay, ui=ui.PreviewImage(overlay, cls=cls))
